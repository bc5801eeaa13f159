import { describe, expect, it } from 'vitest';
import { openAiServer } from '../test/setup/openai-server.ts';
import { Pace, type PaceLimits, type PaceSign, type Permit } from './pace.ts';
import { wholeBudget } from './allotment.ts';
import { createGateway } from './gateway.ts';
import { createProviders } from './providers/create.ts';
import { openaiProvider } from './providers/openai.ts';
import { echoTarget, openaiTarget, openTest, refOf, roomy, until, worldOf } from './test-support.ts';

const never = new AbortController().signal;
const fine: PaceSign = { kind: 'fine' };
const unknown: PaceSign = { kind: 'unknown' };
const tooMuch = (retryAfterMs?: number): PaceSign => ({ kind: 'too-much', retryAfterMs });

/** A clock that moves when it is told. */
function clock() {
  let nowMs = 1_000;
  const timers = new Set<{ at: number; wake: () => void }>();
  return {
    tools: {
      nowMs: () => nowMs,
      later: (ms: number, wake: () => void) => {
        const timer = { at: nowMs + ms, wake };
        timers.add(timer);
        return { cancel: () => void timers.delete(timer) };
      },
    },
    timers,
    pass: (ms: number) => {
      nowMs += ms;
      for (const timer of [...timers].filter((one) => one.at <= nowMs)) {
        timers.delete(timer);
        timer.wake();
      }
    },
  };
}

function paceOf(limits: Partial<PaceLimits> = {}) {
  const time = clock();
  return { pace: new Pace({ start: 4, min: 1, max: 8, longestPauseMs: 60_000, ...limits, ...time.tools }), ...time };
}

/** `count` calls that want to enter; `in` are those whose turn came, in the order in which it came. */
function queue(pace: Pace, count: number, signal = never) {
  const inside: { id: number; permit: Permit }[] = [];
  const all = Array.from({ length: count }, (_, id) =>
    pace.enter(signal).then((permit) => {
      if (permit !== null) inside.push({ id, permit });
      return permit !== null;
    }),
  );
  return { in: inside, all };
}

const turns = async () => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};

describe('Pace', () => {
  it('starts modestly and lets calls in by the order of their coming', async () => {
    const { pace } = paceOf();
    const calls = queue(pace, 6);
    await turns();
    expect(calls.in.map(({ id }) => id)).toEqual([0, 1, 2, 3]);
    calls.in[2]!.permit.leave(unknown);
    await turns();
    calls.in[0]!.permit.leave(unknown);
    await turns();
    expect(calls.in.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('grows by one for every window of successes while somebody waits, up to its maximum', async () => {
    const { pace } = paceOf({ start: 2, max: 4 });
    const calls = queue(pace, 40);
    const limits: number[] = [];
    for (let i = 0; i < 20; i++) {
      await turns();
      calls.in[i]!.permit.leave(fine);
      limits.push(pace.limit);
    }
    expect(limits.slice(0, 7)).toEqual([2, 3, 3, 3, 4, 4, 4]);
    expect(pace.limit).toBe(4);
  });

  it('does not grow by successes that nobody waits behind', async () => {
    const { pace } = paceOf({ start: 2 });
    for (let i = 0; i < 50; i++) (await pace.enter(never))?.leave(fine);
    expect(pace.limit).toBe(2);
  });

  it('halves once for calls that are refused together, and again for those after them, down to its minimum', async () => {
    const { pace } = paceOf({ start: 8 });
    const together = queue(pace, 8);
    await turns();
    for (const { permit } of together.in) permit.leave(tooMuch());
    expect(pace.limit).toBe(4);
    for (const limit of [2, 1, 1]) {
      (await pace.enter(never))?.leave(tooMuch());
      expect(pace.limit).toBe(limit);
    }
  });

  it('keeps every call back for as long as one of them was told to wait', async () => {
    const { pace, pass, timers } = paceOf();
    const first = await pace.enter(never);
    first?.leave(tooMuch(3_000));
    const calls = queue(pace, 3);
    await turns();
    pass(2_999);
    await turns();
    expect(calls.in).toEqual([]);
    pass(1);
    await turns();
    expect(calls.in.map(({ id }) => id)).toEqual([0, 1]);
    expect(timers.size).toBe(0);
  });

  it('waits for the longest of several pauses', async () => {
    const { pace, pass } = paceOf();
    const calls = queue(pace, 4);
    await turns();
    calls.in[0]!.permit.leave(tooMuch(500));
    const late = queue(pace, 1);
    await turns();
    calls.in[1]!.permit.leave(tooMuch(2_000));
    calls.in[2]!.permit.leave(tooMuch(100));
    pass(500);
    await turns();
    expect(late.in).toHaveLength(0);
    pass(1_500);
    await turns();
    expect(late.in).toHaveLength(1);
  });

  it('bounds a pause, because a provider that names an hour would keep whole evaluations', async () => {
    const { pace, pass } = paceOf({ longestPauseMs: 5_000 });
    (await pace.enter(never))?.leave(tooMuch(3_600_000));
    const calls = queue(pace, 1);
    pass(5_000);
    await turns();
    expect(calls.in).toHaveLength(1);
  });

  it('lets a call that is given up go at once, and leaves no timer behind', async () => {
    const { pace, timers } = paceOf();
    (await pace.enter(never))?.leave(tooMuch(9_000));
    const stop = new AbortController();
    const calls = queue(pace, 3, stop.signal);
    await turns();
    expect(timers.size).toBe(1);
    stop.abort();
    expect(await Promise.all(calls.all)).toEqual([false, false, false]);
    expect(timers.size).toBe(0);
    expect(await pace.enter(stop.signal)).toBeNull();
  });

  it('gives the place of a call that was given up to the next one', async () => {
    const { pace } = paceOf({ start: 1 });
    const held = await pace.enter(never);
    const stop = new AbortController();
    const gone = queue(pace, 1, stop.signal);
    const next = queue(pace, 1);
    stop.abort();
    held?.leave(fine);
    held?.leave(fine);
    await turns();
    expect([gone.in.length, next.in.length]).toEqual([0, 1]);
  });
});

describe('a model with a pace', () => {
  const ask = (content: string) => ({ target: 'subject', messages: [{ role: 'user' as const, content }] });

  it('keeps the calls of all sessions to what a server allows that answers 429, and finishes them all', async () => {
    await using server = await openAiServer();
    let [open, most, refused] = [0, 0, 0];
    const allowed = 2;
    const gates: (() => void)[] = [];
    server.behave(async ({ text }) => {
      if (open >= allowed) {
        refused++;
        return { status: 429, retryAfterMs: 5 };
      }
      most = Math.max(most, ++open);
      await new Promise<void>((resolve) => gates.push(resolve));
      open--;
      return { say: text };
    });
    const pump = setInterval(() => gates.shift()?.(), 1);
    await using opened = await openTest({
      targets: [openaiTarget],
      providers: { openai: openaiProvider({ baseUrl: server.baseUrl }) },
      gateway: { pace: { start: 4, max: 4 }, retry: { policy: { tries: 20, firstDelayMs: 1, longestDelayMs: 10 } } },
    });
    const door = opened.session.door(refOf('c'), 'submission');
    const results = await Promise.all(Array.from({ length: 30 }, (_, i) => door.chat(ask(`n${i}`), never)));
    clearInterval(pump);
    expect(results.map((result) => result.ok && result.reply.content)).toEqual(Array.from({ length: 30 }, (_, i) => `n${i}`));
    expect(most).toBe(2);
    expect(refused).toBeGreaterThan(0);
    // Without a pace each of 30 calls would have been refused several times.
    expect(refused).toBeLessThan(30);
  });

  it('ends the wait of a session that is disposed', async () => {
    await using server = await openAiServer();
    server.behave(() => ({ hang: 'before' }));
    await using opened = await openTest({
      targets: [openaiTarget],
      providers: { openai: openaiProvider({ baseUrl: server.baseUrl }) },
      gateway: { pace: { start: 1, max: 1 } },
    });
    const door = opened.session.door(refOf('c'), 'submission');
    const calls = [door.chat(ask('asked'), never), door.chat(ask('waits'), never)];
    await until(() => server.asked.length === 1);
    await opened[Symbol.asyncDispose]();
    expect((await Promise.all(calls)).map((result) => !result.ok && result.fault.kind)).toEqual(['aborted', 'aborted']);
    expect(server.asked).toEqual(['asked']);
    // One was at the provider and is charged in full, the other never left.
    expect(opened.session.usage().calls).toBe(1);
  });

  it('is one for all sessions of a gateway', async () => {
    await using server = await openAiServer();
    server.behave(() => ({ hang: 'before' }));
    const providers = { ...createProviders({}), openai: openaiProvider({ baseUrl: server.baseUrl }) };
    const gateway = createGateway(providers, { pace: { start: 1, max: 1 } });
    const purse = { budget: roomy, allotment: wholeBudget(roomy) };
    const open = async () => {
      const opened = await gateway.open({
        ...{ ...purse, targets: [openaiTarget], judges: [], judging: { ...purse, replies: null } },
        ...{ world: worldOf(), signal: never, record: () => {} },
      });
      if (!opened.ok) throw new Error(opened.message);
      return opened.session;
    };
    const [first, second] = [await open(), await open()];
    const asked = first.door(refOf('a'), 'submission').chat(ask('first'), never);
    await until(() => server.asked.length === 1);
    const waits = second.door(refOf('b'), 'submission').chat(ask('second'), never);
    await first[Symbol.asyncDispose]();
    await until(() => server.asked.length === 2);
    expect(server.asked).toEqual(['first', 'second']);
    await second[Symbol.asyncDispose]();
    expect((await Promise.all([asked, waits])).map((result) => result.ok)).toEqual([false, false]);
  });

  it('does not hold back simulated models', async () => {
    await using opened = await openTest({ targets: [echoTarget], gateway: { pace: { start: 1, max: 1 } } });
    const door = opened.session.door(refOf('c'), 'submission');
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => door.chat({ ...ask(`${i}`), target: 'echo' }, never)));
    expect(results.every((result) => result.ok)).toBe(true);
  });
});
