import { describe, expect, it } from 'vitest';
import type { SandboxDriver } from '../contracts/sandbox.ts';
import { ProviderFault } from '../gateway/providers/provider.ts';
import { wasmDriver } from '../sandboxes/wasm/driver.ts';
import {
  answerOf,
  depsFor,
  fakeDriver,
  kindsOf,
  lastText,
  memorySink,
  planFor,
  programOf,
  rightProgram,
  rightPrompts,
  scriptedGateway,
  wordCases,
  wordRubricOf,
} from '../test/setup/evaluation.ts';
import { until } from '../test/setup/until.ts';
import { evaluate } from './evaluate.ts';

/* What stops an evaluation: faults of the platform, an abort, a sink that gives up. */

const rubric = wordRubricOf();
/** Cases whose calls run side by side (`collector.ts`). */
const lanes = 16;
const kinds = kindsOf(rubric);

describe('a platform fault', () => {
  const many = wordRubricOf({}, { public: wordCases('p', 100) });

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
    expect(asked).toBeLessThan(lanes + 12);
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
    await until('calls are under way', () => asked >= lanes);
    stop.abort(new Error('told to stop'));
    await outcome;
    expect(asked).toBe(lanes);
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
    expect(asked).toBeLessThanOrEqual(lanes + 1);
    await until('providers that ignore their signal end by themselves', () => running === 0);
    expect(told).toBe(1);
  });
});
