import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../contracts/canonical.ts';
import type { CaseRun, SandboxDriver, SandboxOptions, Task } from '../contracts/sandbox.ts';
import { ProviderFault } from '../gateway/providers/provider.ts';
import { wasmDriver } from '../sandboxes/wasm/driver.ts';
import {
  depsFor,
  lastText,
  memorySink,
  parrot,
  phaseOf,
  planFor,
  programOf,
  rightAnswers,
  rightProgram,
  rightPrompts,
  scriptedGateway,
  wordCases,
  wordRubricOf,
} from '../test/setup/evaluation.ts';
import { until } from '../test/setup/until.ts';
import { evaluate, verdictOf } from './evaluate.ts';
import type { EvaluationOutput, EvaluationPlan } from './plan.ts';
import { resultHash, submissionHash } from './result-hash.ts';

const rubric = wordRubricOf();
const kinds: [string, EvaluationPlan['submission']][] = [
  ['answers', rightAnswers(rubric)],
  ['prompts', rightPrompts(rubric)],
  ['defence', { kind: 'defence', systemPrompt: 'Say it.' }],
  ['program', rightProgram],
];

const hashOf = (plan: EvaluationPlan, output: EvaluationOutput): string =>
  resultHash({
    rubricHash: plan.rubric.hash,
    submissionHash: submissionHash(plan.submission),
    seed: plan.seed,
    phase: plan.phase.name,
    verdict: output.verdict,
    results: output.results,
  });

/** A driver whose sandboxes do what the test says, for what a real one cannot be made to do on demand. */
function fakeDriver(run: (task: Task, signal: AbortSignal) => Promise<CaseRun>, open?: SandboxDriver['open']) {
  const opened: SandboxOptions[] = [];
  const closed: string[] = [];
  const driver: SandboxDriver = {
    name: 'wasm',
    profiles: ['js'],
    probe: async () => ({ available: true, profiles: ['js'], detail: '' }),
    open:
      open ??
      (async (options) => {
        opened.push(options);
        return { ok: true, sandbox: { run, [Symbol.asyncDispose]: async () => void closed.push(options.id) } };
      }),
  };
  return { driver, opened, closed };
}
const answerOf = (task: Task): CaseRun => ({ kind: 'answer', answer: `word-${task.id}`, log: '', wallMs: 1 });

describe('an evaluation', () => {
  it.each(kinds)('judges %s: every case answered, passed, told to the sink split by split', async (_, submission) => {
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
    const { log } = deps.sink;
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

describe('a platform fault', () => {
  const many = wordRubricOf({}, { public: wordCases('p', 60) });

  it('stops the evaluation as error: no case begins after it, hidden ones never, what was running is kept', async () => {
    let asked = 0;
    const gateway = scriptedGateway((request, ref) => {
      asked++;
      if (ref.caseId === 'p4') throw new ProviderFault('transport', 'the line is dead', { httpStatus: 502 });
      return lastText(request);
    });
    const plan = planFor(many, rightPrompts(many));
    const deps = depsFor(plan, { gateway });
    const { verdict } = await evaluate(plan, deps);
    expect(verdict).toMatchObject({ outcome: 'error', score: null, interval: null, metrics: {}, criteria: [] });
    expect(verdict.reason).toMatchObject({ code: 'target_unavailable', faultOf: 'target' });
    expect(verdict.reason?.message).toContain('the line is dead');
    expect(asked).toBeLessThan(20);
    const kept = deps.sink.kept.map(({ result }) => result.caseId);
    expect(kept.length).toBeGreaterThan(3);
    expect(kept).not.toContain('p4');
    expect(deps.sink.log).not.toContain('grading');
    expect(deps.sink.log).not.toContain('started hidden 2');
  });

  it('counts a program that caught the fault and answered all the same', async () => {
    const gateway = scriptedGateway(() => {
      throw new ProviderFault('transport', 'the line is dead', { httpStatus: 502 });
    });
    const plan = planFor(
      rubric,
      programOf("try { await target.chat([{ role: 'user', content: 'x' }]); } catch {} return 'word-' + task.id;"),
    );
    const deps = depsFor(plan, { gateway, sandboxes: [wasmDriver()] });
    const { verdict } = await evaluate(plan, deps);
    expect(verdict).toMatchObject({ outcome: 'error', reason: { code: 'target_unavailable', faultOf: 'target' } });
    expect(deps.sink.kept).toEqual([]);
  });

  it('of a budget that cannot be drawn is an error of the platform, not a limit of the participant', async () => {
    const plan = planFor(rubric, rightPrompts(rubric));
    const allotment = { draw: () => Promise.reject(new Error('BudgetLostInCrash')), giveBack: async () => {} };
    const deps = depsFor(plan, { allotment });
    const { verdict } = await evaluate(plan, deps);
    expect(verdict.outcome).toBe('error');
    expect(verdict.reason?.message).toContain('BudgetLostInCrash');
    expect(deps.sink.kept).toEqual([]);
  });

  it('of a sandbox names what to install; a sandbox that breaks in a case is an error too', async () => {
    const { driver: broken } = fakeDriver(async () => ({ kind: 'error', message: 'the engine went away' }));
    const plan = planFor(rubric, rightProgram);
    expect((await evaluate(plan, depsFor(plan, { sandboxes: [broken] }))).verdict.reason?.message).toContain('the engine went away');
    const none = await evaluate(plan, depsFor(plan));
    expect(none.verdict).toMatchObject({ outcome: 'error', reason: { code: 'sandbox_unavailable', faultOf: 'platform' } });
    const absent: SandboxDriver = {
      ...fakeDriver(
        async (task) => answerOf(task),
        async () => ({ ok: false, message: 'no' }),
      ).driver,
      probe: async () => ({ available: false, profiles: [], reason: 'there is no engine', install: 'install one' }),
    };
    const named = await evaluate(plan, depsFor(plan, { sandboxes: [absent] }));
    expect(named.verdict.reason?.message).toContain('there is no engine; install one');
  });

  it('of a target without a key says which variable to set', async () => {
    const plan = planFor(rubric, rightPrompts(rubric), {
      targets: rubric.rubric.targets.map((one) => ({
        ...one,
        provider: 'openai' as const,
        price: { inputMicrosPerMillion: 1, outputMicrosPerMillion: 1 },
      })),
    });
    const { verdict } = await evaluate(plan, depsFor(plan));
    expect(verdict).toMatchObject({ outcome: 'error', reason: { code: 'gateway_unavailable' } });
    expect(verdict.reason?.message).toContain('OPENAI_API_KEY');
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

describe('an aborted evaluation', () => {
  it.each(kinds)('that was aborted before it began rejects and does nothing: %s', async (_, submission) => {
    const plan = planFor(rubric, submission);
    const reason = new Error('stop');
    const deps = depsFor(plan, { signal: AbortSignal.abort(reason), sandboxes: [wasmDriver()] });
    await expect(evaluate(plan, deps)).rejects.toBe(reason);
    expect(deps.sink.log).toEqual([]);
  });

  it('rejects with the reason in the middle of calls, keeps nothing more and asks nothing more', async () => {
    const stop = new AbortController();
    const many = wordRubricOf({}, { public: wordCases('p', 100) });
    let asked = 0;
    const gateway = scriptedGateway((_, __, signal) => {
      asked++;
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const plan = planFor(many, rightPrompts(many));
    const deps = depsFor(plan, { gateway, signal: stop.signal });
    const ended = evaluate(plan, deps);
    const outcome = expect(ended).rejects.toThrow('told to stop');
    await until('calls are under way', () => asked >= 8);
    stop.abort(new Error('told to stop'));
    await outcome;
    expect(asked).toBe(8);
    expect(deps.sink.log).toEqual(['started public 100']);
  });

  it('in the middle of a program ends the sandbox and reports no fault of it', async () => {
    const stop = new AbortController();
    const plan = planFor(rubric, programOf('await new Promise(() => {});'));
    const deps = depsFor(plan, { sandboxes: [wasmDriver()], signal: stop.signal });
    deps.sink.splitStarted = async () => void setTimeout(() => stop.abort(new Error('told to stop')), 100);
    await expect(evaluate(plan, deps)).rejects.toThrow('told to stop');
    expect(deps.sink.kept).toEqual([]);
  });

  it('while a sandbox opens rejects instead of reporting that it could not be opened', async () => {
    const stop = new AbortController();
    const { driver } = fakeDriver(
      async (task) => answerOf(task),
      async () => {
        stop.abort(new Error('told to stop'));
        return { ok: false, message: 'the evaluation was cancelled' };
      },
    );
    const plan = planFor(rubric, rightProgram);
    await expect(evaluate(plan, depsFor(plan, { sandboxes: [driver], signal: stop.signal }))).rejects.toThrow('told to stop');
  });

  it('by its sink rejects with the sink’s error, starts nothing more and leaves nothing running', async () => {
    const many = wordRubricOf({}, { public: wordCases('p', 200) });
    let running = 0;
    let asked = 0;
    const gateway = scriptedGateway(async (request, ref) => {
      asked++;
      running++;
      if (ref.caseId !== 'p0') await new Promise((resolve) => setTimeout(resolve, 30));
      running--;
      return lastText(request);
    });
    let told = 0;
    const sink = memorySink({
      caseFinished: async () => {
        told++;
        throw new Error('the lease is lost');
      },
    });
    const plan = planFor(many, rightPrompts(many));
    await expect(evaluate(plan, depsFor(plan, { gateway, sink }))).rejects.toThrow('the lease is lost');
    expect(told).toBe(1);
    expect(asked).toBeLessThanOrEqual(9);
    await until('providers that ignore their signal end by themselves', () => running === 0);
    expect(told).toBe(1);
  });
});

it('the verdict of stored results in any order is the same', async () => {
  const plan = planFor(rubric, rightAnswers(rubric));
  const { verdict, results } = await evaluate(plan, depsFor(plan, { gateway: scriptedGateway(parrot) }));
  expect(canonicalJson(verdictOf(plan, results.toReversed()))).toBe(canonicalJson(verdict));
});
