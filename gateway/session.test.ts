import { writeFile } from 'node:fs/promises';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { Exchange, type ChatRequest } from '../contracts/chat.ts';
import { TargetSpec } from '../contracts/target.ts';
import { wholeBudget } from './allotment.ts';
import { createGateway } from './gateway.ts';
import { createProviders } from './providers/create.ts';
import type { ChatEvent, Provider } from './providers/provider.ts';
import { echoTarget, forward, openaiTarget, openTest, price, refOf, roomy, socketFolder, until, worldOf } from './test-support.ts';

const never = new AbortController().signal;
const ask = (content: string, target = 'echo'): ChatRequest => ({ target, messages: [{ role: 'user', content }] });

/** Uses exactly what was reserved for it, and ends when told. */
function held(): { provider: Provider; open: () => number; release(): void } {
  const gate = Promise.withResolvers<void>();
  let open = 0;
  const provider: Provider = {
    check: () => null,
    stream: async function* (request): AsyncGenerator<ChatEvent> {
      open++;
      await gate.promise;
      open--;
      yield {
        type: 'end',
        stopReason: 'stop',
        tokens: { inputTokens: 1, outputTokens: request.maxOutputTokens, estimated: false },
        returnedModel: 'm',
        fingerprint: null,
      };
    },
  };
  return { provider, open: () => open, release: () => gate.resolve() };
}

describe('open', () => {
  const open = (target: object, config = {}) =>
    createGateway(createProviders(config)).open({
      targets: [TargetSpec.parse({ name: 't', ...target })],
      budget: roomy,
      allotment: wholeBudget(roomy),
      world: worldOf({ 'good.jsonl': '', 'bad.jsonl': '{"request":1}\n' }),
      signal: never,
      judges: [],
      judging: { budget: roomy, allotment: wholeBudget(roomy), replies: null },
      record: () => {},
    });

  it('refuses what could not be asked or paid for, and says what to do', async () => {
    const message = async (target: object, config = {}) => {
      const result = await open(target, config);
      if (!result.ok) return result.message;
      await result.session[Symbol.asyncDispose]();
      return null;
    };
    expect(await message({ provider: 'openai', model: 'm', price })).toContain('set OPENAI_API_KEY');
    expect(await message({ provider: 'anthropic', model: 'm', price })).toContain('set ANTHROPIC_API_KEY');
    expect(await message({ provider: 'openai', model: 'm' }, { openaiApiKey: 'k' })).toContain('has no price');
    expect(await message({ provider: 'openai', model: 'm', price }, { openaiApiKey: 'k' })).toBeNull();
    expect(await message({ provider: 'simulated', model: 'toString' })).toContain('no simulated model "toString"');
    expect(await message({ provider: 'simulated', model: 'secret-keeper' })).toBeNull();
    expect(await message({ provider: 'replay', model: 'none.jsonl' })).toContain('no file "none.jsonl"');
    expect(await message({ provider: 'replay', model: 'bad.jsonl' })).toContain('bad.jsonl, line 1, request');
    expect(await message({ provider: 'replay', model: 'good.jsonl' })).toBeNull();
  });
});

describe('a session', () => {
  it('lets 50 parallel calls at the edge of a budget through exactly as often as it pays for', async () => {
    const model = held();
    const budget = { ...roomy, outputTokens: 100 * 13 };
    await using opened = await openTest({ targets: [openaiTarget], budget, providers: { openai: model.provider } });
    const door = opened.session.door(refOf('c'), 'submission');
    const calls = Promise.all(Array.from({ length: 50 }, () => door.chat(ask('x', 'subject'), never)));
    await until(() => model.open() === 13);
    model.release();
    const results = await calls;
    expect(results.filter((result) => result.ok)).toHaveLength(13);
    expect(results.filter((result) => !result.ok && result.fault.kind === 'budget' && result.fault.httpStatus === 429)).toHaveLength(37);
    expect(opened.session.usage().outputTokens).toBe(1300);
    expect(opened.recorded).toHaveLength(50);
  });

  it('limits the calls of a case to the submission, not to graders', async () => {
    await using opened = await openTest({ budget: { ...roomy, callsPerCase: 2 } });
    const ok = async (caseId: string, by: 'submission' | 'grader') =>
      (await opened.session.door(refOf(caseId), by).chat(ask('x'), never)).ok;
    expect([await ok('a', 'submission'), await ok('a', 'submission'), await ok('a', 'submission')]).toEqual([true, true, false]);
    expect([await ok('a', 'grader'), await ok('b', 'submission')]).toEqual([true, true]);
    expect(opened.recorded.map(({ exchange }) => exchange.index)).toEqual([0, 1, 2, 3, 0]);
  });

  it('refuses targets that the rubric does not name', async () => {
    await using opened = await openTest();
    const door = opened.session.door(refOf('c'), 'submission');
    expect(await door.chat(ask('x', 'gpt-5'), never)).toMatchObject({
      ok: false,
      fault: { kind: 'policy', httpStatus: 404, message: expect.stringContaining('echo') },
    });
    expect(opened.session.usage().calls).toBe(0);
    expect(door.exchanges()).toHaveLength(1);
  });

  it('records exchanges that fit the contract, in the order in which they began', async () => {
    await using opened = await openTest();
    const door = opened.session.door(refOf('c'), 'submission');
    await Promise.all(['one', 'two', 'three'].map((text) => door.chat(ask(text), never)));
    expect(door.exchanges().map((exchange) => exchange.reply?.content)).toEqual(['c: one', 'c: two', 'c: three']);
    for (const exchange of door.exchanges()) expect(Exchange.parse(exchange)).toEqual(exchange);
  });

  it('keeps few of the calls it refuses, so that a program cannot fill the memory', async () => {
    await using opened = await openTest();
    const door = opened.session.door(refOf('c'), 'submission');
    for (let i = 0; i < 300; i++) await door.chat(ask('x', 'gpt-5'), never);
    expect(door.exchanges()).toHaveLength(100);
  });

  it('attributes each call to the case whose socket it came through', async () => {
    await using folder = await socketFolder();
    await using opened = await openTest();
    const replies = await Promise.all(
      ['left', 'right'].map(async (caseId) => {
        const door = opened.session.door(refOf(caseId), 'submission');
        await using _server = await door.listen(folder.path(caseId));
        await using port = await forward(folder.path(caseId));
        const client = new OpenAI({ apiKey: 'x', baseURL: `${port.url}/v1` });
        const texts = Array.from({ length: 10 }, (_, i) =>
          client.chat.completions.create({ model: 'echo', messages: [{ role: 'user', content: `${i}` }] }),
        );
        return (await Promise.all(texts)).map((reply) => reply.choices[0]?.message.content);
      }),
    );
    const expected = (caseId: string) => Array.from({ length: 10 }, (_, i) => `${caseId}: ${i}`);
    expect(replies).toEqual([expected('left'), expected('right')]);
    expect(opened.recorded.filter(({ ref }) => ref.caseId === 'left')).toHaveLength(10);
  });

  it('follows the case that a sandbox is in, and ends the calls of the one before', async () => {
    const model = held();
    await using opened = await openTest({ targets: [echoTarget, openaiTarget], providers: { openai: model.provider } });
    const door = opened.session.sandboxDoor();
    expect(await door.chat(ask('x'), never)).toMatchObject({ ok: false, fault: { httpStatus: 409 } });
    const first = opened.session.door(refOf('first'), 'submission');
    door.enter(first);
    const left = door.chat(ask('x', 'subject'), never);
    await until(() => model.open() === 1);
    door.enter(opened.session.door(refOf('second'), 'submission'));
    expect(first.exchanges()).toMatchObject([{ fault: { kind: 'aborted' } }]);
    expect(await left).toMatchObject({ ok: false, fault: { kind: 'aborted' } });
    expect(await door.chat(ask('y'), never)).toMatchObject({ ok: true, reply: { content: 'second: y' } });
    model.release();
  });

  it('stops with its signal and gives unused budget back', async () => {
    const model = held();
    const allotment = wholeBudget(roomy);
    const opened = await openTest({ targets: [openaiTarget], allotment, providers: { openai: model.provider } });
    const call = opened.session.door(refOf('c'), 'submission').chat(ask('x', 'subject'), never);
    await until(() => model.open() === 1);
    opened.stop.abort();
    expect(await call).toMatchObject({ ok: false, fault: { kind: 'aborted' } });
    expect(await opened.session.door(refOf('c'), 'submission').chat(ask('x', 'subject'), never)).toMatchObject({ ok: false });
    await opened[Symbol.asyncDispose]();
    const left = await allotment.draw({ calls: 9999, inputTokens: 99_999_999, outputTokens: 99_999_999, costMicros: 1n });
    expect({ calls: left.calls, outputTokens: left.outputTokens }).toEqual({ calls: 999, outputTokens: 1_000_000 - 100 });
    model.release();
  });

  it('makes a platform fault of an allotment that cannot be drawn from', async () => {
    const allotment = { draw: () => Promise.reject(new Error('database gone')), giveBack: async () => {} };
    await using opened = await openTest({ allotment });
    expect(await opened.session.door(refOf('c'), 'submission').chat(ask('x'), never)).toMatchObject({
      ok: false,
      fault: { kind: 'transport' },
    });
    expect(opened.session.transportFault()).toContain('database gone');
  });

  it('replaces a stale socket, but nothing else, and closes with the session', async () => {
    await using folder = await socketFolder();
    const path = folder.path('gw.sock');
    const opened = await openTest();
    await writeFile(folder.path('file'), 'precious');
    await expect(opened.session.sandboxDoor().listen(folder.path('file'))).rejects.toThrow('not a socket');
    await expect(opened.session.sandboxDoor().listen(folder.path('x'.repeat(120)))).rejects.toThrow('longer than 107');
    await opened.session.sandboxDoor().listen(path);
    await using second = await openTest();
    await using _replacing = await second.session.sandboxDoor().listen(path);
    await opened[Symbol.asyncDispose]();
  });
});
