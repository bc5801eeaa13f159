import { expect, it } from 'vitest';
import { EvaluationReport } from '../contracts/evaluation.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import { ProviderFault } from '../gateway/providers/provider.ts';
import { lastText, parrot, phaseOf, rightPrompts, scriptedGateway, type Script, seed, wordRubricOf } from '../test/setup/evaluation.ts';
import { runLocal } from './run-local.ts';

const rubric = wordRubricOf();
type Progress = { split: string; done: number; of: number };

async function run(document: SubmissionDocument, script: Script = parrot, of = rubric, targets = of.rubric.targets) {
  const progress: Progress[] = [];
  const report = await runLocal({
    rubric: of,
    phase: phaseOf(of),
    document,
    seed,
    targets,
    gateway: scriptedGateway(script),
    sandboxes: [],
    signal: new AbortController().signal,
    onProgress: (step) => void progress.push(step),
  });
  return { report, progress };
}

it('a local run reports everything the published form of a report has', async () => {
  const { report, progress } = await run(rightPrompts(rubric));
  expect(EvaluationReport.parse(report)).toEqual(report);
  expect(report).toMatchObject({
    challenge: 'say-the-word',
    rubricHash: rubric.hash,
    seed,
    phase: 'all',
    simulated: true,
    status: 'done',
    outcome: 'pass',
    score: 1,
    usage: { calls: 5, inputTokens: 15, outputTokens: 10 },
  });
  expect(report.cases).toHaveLength(5);
  expect(progress.filter(({ split }) => split === 'public').map(({ done, of }) => `${done}/${of}`)).toEqual([
    '0/3',
    '1/3',
    '2/3',
    '3/3',
    '3/3',
  ]);
  expect(progress.at(-1)).toEqual({ split: 'hidden', done: 2, of: 2 });
});

it('an error shows no case, but says what it used', async () => {
  const { report } = await run(rightPrompts(rubric), (request, ref) => {
    if (ref.caseId === 'h1') throw new ProviderFault('transport', 'gone', { httpStatus: 502 });
    return lastText(request);
  });
  expect(report).toMatchObject({ outcome: 'error', score: null, metrics: {}, criteria: [], cases: [] });
  expect(report.usage.calls).toBe(4);
  expect(report.reason?.faultOf).toBe('target');
});

it('names its judges apart from its targets, and is simulated when only a judge is', async () => {
  const judges = [{ name: 'arbiter', provider: 'simulated', model: 'honest-judge' }];
  const judged = wordRubricOf({ judges, judging: { calls: 1, inputTokens: 1, outputTokens: 1, costMicros: 1 } });
  const replayed = judged.rubric.targets.map((target) => ({ ...target, provider: 'replay' as const, model: 'none.jsonl' }));
  const { report } = await run(rightPrompts(judged), parrot, judged, replayed);
  expect(report).toMatchObject({
    simulated: true,
    targets: [{ provider: 'replay' }, { provider: 'replay' }],
    judges: [{ ...judges[0], simulated: true }],
    judging: { calls: 0 },
  });
});

it('a missing answer and a blank one are worth nothing, also where the criterion asks for the absence of something', async () => {
  const quiet = wordRubricOf({
    ...{ submission: [{ kind: 'answers', schema: { type: 'string' } }], targets: [], sandbox: undefined },
    criteria: [
      { name: 'polite', title: 'Does not say it', grader: { kind: 'not', part: { kind: 'includes', of: 'answer', to: 'expected/word' } } },
    ],
  });
  const { report } = await run({ kind: 'answers', answers: { p1: ' ', p2: 'something else' } }, parrot, quiet);
  expect(report.cases.map(({ caseId, end, score }) => [caseId, end, score])).toEqual([
    ['p0', 'missing', 0],
    ['p1', 'answered', 0],
    ['p2', 'answered', 1],
    ['h0', 'missing', 0],
    ['h1', 'missing', 0],
  ]);
  expect(report.score).toBe(0.2);
});
