import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../contracts/canonical.ts';
import { createGateway } from '../gateway/gateway.ts';
import { createProviders } from '../gateway/providers/create.ts';
import { ProviderFault } from '../gateway/providers/provider.ts';
import { wasmDriver } from '../sandboxes/wasm/driver.ts';
import {
  answerOf,
  depsFor,
  fakeDriver,
  kindsOf,
  lastText,
  parrot,
  phaseOf,
  planFor,
  programOf,
  rightAnswers,
  rightProgram,
  rightPrompts,
  scriptedGateway,
  wordRubricOf,
} from '../test/setup/evaluation.ts';
import { evaluate, verdictOf } from './evaluate.ts';
import type { EvaluationOutput, EvaluationPlan } from './plan.ts';
import { resultHash, submissionHash } from './result-hash.ts';

const rubric = wordRubricOf();
const kinds = kindsOf(rubric);

const askingProgram = programOf("return (await target.chat([{ role: 'user', content: 'say word-' + task.id }])).slice(4);");

const hashOf = (plan: EvaluationPlan, output: EvaluationOutput): string =>
  resultHash({
    rubricHash: plan.rubric.hash,
    submissionHash: submissionHash(plan.submission),
    seed: plan.seed,
    phase: plan.phase.name,
    verdict: output.verdict,
    results: output.results,
  });

describe('an evaluation', () => {
  it.each(kinds)('judges %s: every case answered, passed, told to the sink split by split', async (kind, submission) => {
    const plan = planFor(rubric, submission);
    const deps = depsFor(plan, { sandboxes: [wasmDriver()] });
    const { verdict, results } = await evaluate(plan, deps);
    expect(verdict).toMatchObject({ outcome: 'pass', score: 1, reason: null });
    expect(results.map(({ caseId, split, end, score }) => [caseId, split, end, score])).toEqual([
      ['p0', 'public', 'answered', 1],
      ['p1', 'public', 'answered', 1],
      ['p2', 'public', 'answered', 1],
      ['h0', 'hidden', 'answered', 1],
      ['h1', 'hidden', 'answered', 1],
    ]);
    const isSandbox = (line: string) => line.startsWith('sandbox ');
    expect(deps.sink.log.filter(isSandbox)).toEqual(kind === 'program' ? ['sandbox public wasm', 'sandbox hidden wasm'] : []);
    if (kind === 'program') expect(deps.sink.log.indexOf('sandbox hidden wasm')).toBe(deps.sink.log.indexOf('started hidden 2') + 1);
    const log = deps.sink.log.filter((line) => !isSandbox(line));
    expect([log[0], log[4], log[5], log[8], log[9]]).toEqual([
      'started public 3',
      'finished public 3',
      'started hidden 2',
      'finished hidden 2',
      'grading',
    ]);
    expect(log.slice(1, 4).toSorted()).toEqual(['case p0', 'case p1', 'case p2']);
  });

  it.each(kinds)('gives byte-equal grades and hash for the same seed: %s', async (_, submission) => {
    // Replies arrive in another order each time, so that a result that depends on it is found.
    const shuffled = scriptedGateway(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
      return lastText(request);
    });
    const once = async () => {
      const plan = planFor(rubric, submission);
      const output = await evaluate(plan, depsFor(plan, { gateway: shuffled, sandboxes: [wasmDriver()] }));
      return {
        grades: canonicalJson(output.results.map((one) => one.grades)),
        hash: hashOf(plan, output),
        verdict: canonicalJson(output.verdict),
      };
    };
    const [first, second] = [await once(), await once()];
    expect(second).toEqual(first);
    expect(first.grades).toContain('"score":1');
  });

  it.each(kinds.slice(1))('gives the recorded grades again when its replies are replayed: %s', async (_, submission) => {
    const recorded = planFor(rubric, submission.kind === 'program' ? askingProgram : submission);
    const deps = depsFor(recorded, { sandboxes: [wasmDriver()] });
    const original = await evaluate(recorded, deps);
    const lines = deps.sink.kept.flatMap(({ texts }) => JSON.parse(texts.transcript ?? '[]') as object[]).map((one) => JSON.stringify(one));
    expect(lines).toHaveLength(5);
    const targets = [{ name: 'parrot', provider: 'replay', model: 'recordings/replies.jsonl' }];
    const replayed = wordRubricOf({ targets }, {}, { 'recordings/replies.jsonl': `${lines.join('\n')}\n` });
    const once = async () => {
      const plan = planFor(replayed, recorded.submission);
      const output = await evaluate(plan, depsFor(plan, { gateway: createGateway(createProviders({})), sandboxes: [wasmDriver()] }));
      return { grades: canonicalJson(output.results.map((one) => one.grades)), hash: hashOf(plan, output) };
    };
    const [first, second] = [await once(), await once()];
    expect(second).toEqual(first);
    expect(first.grades).toBe(canonicalJson(original.results.map((one) => one.grades)));
  });

  it('hashes another seed, score or submission to something else', async () => {
    const plans = [
      planFor(rubric, rightAnswers(rubric)),
      planFor(rubric, rightAnswers(rubric), { seed: 'cd'.repeat(32) }),
      planFor(rubric, { kind: 'answers', answers: { p0: 'word-p0' } }),
      planFor(rubric, rightAnswers(rubric), { phase: phaseOf(rubric, 'open') }),
    ];
    const hashes = await Promise.all(plans.map(async (plan) => hashOf(plan, await evaluate(plan, depsFor(plan)))));
    expect(new Set(hashes).size).toBe(plans.length);
  });

  it('runs public cases to their end in one sandbox and hidden ones in another, with nothing of the grading side', async () => {
    const { driver, opened, closed } = fakeDriver(async (task) => answerOf(task));
    const plan = planFor(rubric, rightProgram);
    const deps = depsFor(plan, { sandboxes: [driver] });
    deps.sink.splitFinished = async (split) => void deps.sink.log.push(`finished ${split}, closed ${closed.length}`);
    await evaluate(plan, deps);
    expect(opened.map((options) => options.id)).toEqual(['test-run-public', 'test-run-hidden']);
    expect(closed).toEqual(['test-run-public', 'test-run-hidden']);
    expect(JSON.stringify(opened)).not.toContain('expected');
  });

  it('runs only what a checkpoint lacks, and opens no sandbox for a split that is done', async () => {
    const whole = planFor(rubric, rightProgram);
    const ran: string[] = [];
    const { driver, opened } = fakeDriver(async (task) => {
      ran.push(task.id);
      return answerOf(task);
    });
    const before = await evaluate(whole, depsFor(whole, { sandboxes: [driver] }));
    ran.length = 0;
    opened.length = 0;
    const checkpoint = before.results.filter((one) => one.caseId !== 'h1');
    const deps = depsFor(whole, { sandboxes: [driver], checkpoint });
    const after = await evaluate(whole, deps);
    expect(ran).toEqual(['h1']);
    expect(opened.map((options) => options.id)).toEqual(['test-run-hidden']);
    expect(deps.sink.kept.map(({ result }) => result.caseId)).toEqual(['h1']);
    expect(hashOf(whole, after)).toBe(hashOf(whole, before));
  });

  it('runs every trial once, with secrets and results of its own', async () => {
    const trials = wordRubricOf({ trials: 3 });
    const plan = planFor(trials, rightAnswers(trials));
    const { results } = await evaluate(plan, depsFor(plan));
    expect(results.map(({ caseId, trial }) => `${caseId}/${trial}`)).toEqual(
      ['p0', 'p1', 'p2', 'h0', 'h1'].flatMap((id) => [`${id}/0`, `${id}/1`, `${id}/2`]),
    );
  });
});

describe('what a target does is graded', () => {
  it.each(['content_filter', 'refusal', 'length'] as const)('%s is behaviour', async (stopReason) => {
    const plan = planFor(rubric, rightPrompts(rubric));
    const deps = depsFor(plan, { gateway: scriptedGateway((request) => ({ text: lastText(request), stopReason })) });
    const { verdict, results } = await evaluate(plan, deps);
    expect(verdict.outcome).toBe('pass');
    expect(results.every((one) => one.end === 'answered')).toBe(true);
  });

  it('a conversation too long for the model is the fault of the case, which scores 0', async () => {
    const gateway = scriptedGateway((request, ref) => {
      if (ref.caseId === 'p1') throw new ProviderFault('overflow', 'the conversation is too long', { httpStatus: 400 });
      return lastText(request);
    });
    const plan = planFor(rubric, rightPrompts(rubric));
    const { verdict, results } = await evaluate(plan, depsFor(plan, { gateway }));
    expect(results.find((one) => one.caseId === 'p1')).toMatchObject({
      end: 'fault',
      score: 0,
      message: expect.stringContaining('too long'),
    });
    expect(verdict).toMatchObject({ outcome: 'fail', score: 0.8 });
  });

  it('a budget that is used up ends cases as limit', async () => {
    const tight = wordRubricOf({ budget: { calls: 2, inputTokens: 1_000_000, outputTokens: 100_000, costMicros: 0 } });
    const plan = planFor(tight, rightPrompts(tight));
    const { results } = await evaluate(plan, depsFor(plan));
    expect(results.filter((one) => one.end === 'answered')).toHaveLength(2);
    expect(results.filter((one) => one.end === 'limit' && one.limit === 'budget')).toHaveLength(3);
  });
});

it('the verdict of stored results in any order is the same', async () => {
  const plan = planFor(rubric, rightAnswers(rubric));
  const { verdict, results } = await evaluate(plan, depsFor(plan, { gateway: scriptedGateway(parrot) }));
  expect(canonicalJson(verdictOf(plan, results.toReversed()))).toBe(canonicalJson(verdict));
});
