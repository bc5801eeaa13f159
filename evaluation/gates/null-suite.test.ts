import { expect, it } from 'vitest';
import { nullSuite } from '../../rubrics/null-suite.ts';
import { parrot, phaseOf, type Script, scriptedGateway, wordRubricOf } from '../../test/setup/evaluation.ts';
import { gateContext } from './context.ts';
import type { Run } from './context.ts';
import { nullSuiteGate, runNullSuite } from './null-suite.ts';

const phase = (name: string, ...splits: string[]) => ({ name, title: name, splits });

it('a phase inside of a larger one gets the verdicts it would have got by itself, without being run', async () => {
  const rubric = wordRubricOf({
    submission: [{ kind: 'prompts' }],
    criteria: [{ name: 'said', title: 'Says the word', grader: { kind: 'includes', of: 'last-reply', to: 'expected/word' } }],
    phases: [phase('open', 'public'), phase('all', 'public', 'hidden'), phase('rest', 'hidden'), phase('again', 'hidden', 'public')],
  });
  let calls = 0;
  const counting: Script = (...asked) => {
    calls++;
    return parrot(...asked);
  };
  const deps = { gateway: scriptedGateway(counting), sandboxes: [], onGate: () => {} };
  const context = gateContext(rubric, { ...deps, signal: new AbortController().signal });
  const runs = await runNullSuite(context);
  const inAll = runs.filter((run) => run.phase.name === 'all');
  // Five cases in the phase "all", none of them asked again.
  expect(calls).toBe(inAll.reduce((sum, run) => sum + (run.document.kind === 'prompts' ? Object.keys(run.document.prompts).length : 0), 0));
  expect(runs).toHaveLength(4 * inAll.length);
  for (const name of ['open', 'rest', 'again']) {
    for (const { name: null_, document } of nullSuite(rubric, phaseOf(rubric, name), context.seed)) {
      const alone = await context.judge({ name: null_, role: 'null-suite', phase: phaseOf(rubric, name), document });
      const derived = runs.find((run) => run.name === `${null_} (${name})`);
      const { outcome, score, interval, metrics, criteria } = alone.report;
      expect(derived?.report).toMatchObject({ phase: name, outcome, score, interval, metrics, criteria });
      expect(derived?.report.cases.map(({ caseId, score: own }) => [caseId, own])).toEqual(
        alone.report.cases.map(({ caseId, score: own }) => [caseId, own]),
      );
    }
  }
  expect(runs.find((run) => run.name === 'copied (open)')?.report.score).toBe(1);
});

it('programs that know nothing speak for images that answer by the same schema, and for no others', () => {
  const schema = { type: 'string', maxLength: 20 };
  const coveredWith = (imageSchema: object, only?: string[]) => {
    const said = { name: 'said', title: 'Says it', grader: { kind: 'equals', of: 'answer', to: 'expected/word' } };
    const rubric = wordRubricOf({
      submission: [
        { kind: 'program', schema },
        { kind: 'image', schema: imageSchema },
      ],
      sandbox: { profiles: ['js', 'image'] },
      criteria: [said, ...(only ? [{ ...said, name: 'more', for: only }] : [])],
    });
    const report = { outcome: 'fail', score: 0, criteria: [], reason: null };
    const document = { kind: 'program', language: 'javascript', source: 'x' };
    const run = { name: 'program constant (full)', role: 'null-suite', phase: rubric.rubric.phases[0], document, report };
    return nullSuiteGate(rubric, [run as unknown as Run], []).filter(({ control }) => control === 'image');
  };
  expect(coveredWith(schema)).toEqual([]);
  expect(coveredWith({ type: 'string' })).toMatchObject([{ ok: false }]);
  expect(coveredWith(schema, ['image'])).toMatchObject([{ ok: false }]);
});
