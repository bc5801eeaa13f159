import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../contracts/chat.ts';
import { JudgeSpec, targetOfJudge } from '../contracts/judging.ts';
import { wholeBudget } from './allotment.ts';
import { createGateway } from './gateway.ts';
import { createProviders } from './providers/create.ts';
import { type ChatEvent, type Provider, ProviderFault } from './providers/provider.ts';
import { forward, openaiTarget, openTest, price, refOf, roomy, socketFolder, until, worldOf } from './test-support.ts';
import { end, failing, Script } from './test-script.ts';

const never = new AbortController().signal;
const judgeOf = (more: object) => targetOfJudge(JudgeSpec.parse({ name: 'arbiter', provider: 'openai', model: 'judge-1', price, ...more }));
const arbiter = judgeOf({});
const ask = (target: string, content = 'x'): ChatRequest => ({ target, messages: [{ role: 'user', content }] });
const purse = (budget = roomy) => ({ budget, allotment: wholeBudget(budget), replies: null });

/** Judges behind a scripted provider. */
async function withJudge(script: Script | Provider, more: Parameters<typeof openTest>[0] = {}) {
  return await openTest({ judges: [arbiter], judging: purse(), providers: { openai: script }, ...more });
}

describe('judges', () => {
  it('are reached by the door for judges alone, and that door reaches nothing else', async () => {
    await using opened = await withJudge(new Script());
    const door = (by: 'submission' | 'grader' | 'judge') =>
      by === 'judge' ? opened.session.door(refOf('c'), by) : opened.session.door(refOf('c'), by);
    for (const by of ['submission', 'grader'] as const) {
      const refused = await door(by).chat(ask('arbiter'), never);
      expect(refused).toMatchObject({ ok: false, fault: { kind: 'policy', httpStatus: 404 } });
      expect(JSON.stringify(refused)).toContain('there are: echo');
    }
    expect(await door('judge').chat(ask('echo'), never)).toMatchObject({ ok: false, fault: { kind: 'policy', httpStatus: 404 } });
    expect(await door('judge').chat(ask('arbiter'), never)).toMatchObject({ ok: true });
    expect(opened.recorded.map(({ exchange }) => exchange.askedBy)).toEqual(['submission', 'grader', 'judge', 'judge']);
  });

  it('do not exist on the wire of a submission: not listed, not found, not asked', async () => {
    await using folder = await socketFolder();
    const script = new Script();
    await using opened = await withJudge(script);
    await using _server = await opened.session.door(refOf('c'), 'submission').listen(folder.path('gw'));
    await using port = await forward(folder.path('gw'));
    const client = new OpenAI({ apiKey: 'x', baseURL: `${port.url}/v1`, maxRetries: 0 });
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['echo']);
    await expect(client.models.retrieve('arbiter')).rejects.toMatchObject({ status: 404 });
    const messages = [{ role: 'user' as const, content: 'do I pass?' }];
    await expect(client.chat.completions.create({ model: 'arbiter', messages })).rejects.toMatchObject({ status: 404 });
    const anthropic = await fetch(`${port.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({ model: 'arbiter', max_tokens: 10, messages }),
    });
    expect(anthropic.status).toBe(404);
    expect(await anthropic.text()).not.toContain('arbiter,');
    expect(script.last).toBeNull();
    expect(opened.session.judgeUsage().calls).toBe(0);
  });

  it('are on no socket at all, and no sandbox can be given their door', async () => {
    await using folder = await socketFolder();
    await using opened = await withJudge(new Script());
    const judges = opened.session.door(refOf('c'), 'judge');
    await expect(judges.listen(folder.path('gw'))).rejects.toThrow('through a socket');
    expect(() => opened.session.sandboxDoor().enter(judges)).toThrow('only those of submissions');
  });

  it('have a purse of their own, which neither side can use up for the other', async () => {
    await using opened = await withJudge(new Script(), {
      budget: { ...roomy, calls: 1 },
      judging: purse({ ...roomy, calls: 2 }),
    });
    const submission = opened.session.door(refOf('c'), 'submission');
    const judges = opened.session.door(refOf('c'), 'judge');
    expect([(await submission.chat(ask('echo'), never)).ok, (await submission.chat(ask('echo'), never)).ok]).toEqual([true, false]);
    expect([(await judges.chat(ask('arbiter'), never)).ok, (await judges.chat(ask('arbiter'), never)).ok]).toEqual([true, true]);
    const short = await judges.chat(ask('arbiter'), never);
    expect(short).toMatchObject({ ok: false, fault: { kind: 'budget', message: expect.stringContaining('"judging" budget') } });
    expect([opened.session.usage().calls, opened.session.judgeUsage().calls]).toEqual([1, 2]);
  });

  it('give what they did not use back when the session ends, even when the other purse cannot', async () => {
    const judging = purse();
    const broken = { draw: wholeBudget(roomy).draw, giveBack: () => Promise.reject(new Error('database gone')) };
    const opened = await withJudge(new Script(), { allotment: broken, judging });
    await opened.session.door(refOf('c'), 'submission').chat(ask('echo'), never);
    await opened.session.door(refOf('c'), 'judge').chat(ask('arbiter'), never);
    await expect(opened[Symbol.asyncDispose]()).rejects.toThrow('database gone');
    const left = await judging.allotment.draw({ calls: 9999, inputTokens: 99_999_999, outputTokens: 99_999_999, costMicros: 1n });
    expect(left).toMatchObject({ calls: 999, inputTokens: roomy.inputTokens - 11, outputTokens: roomy.outputTokens - 5 });
  });

  it('are not bounded by the calls a submission may make for a case', async () => {
    await using opened = await withJudge(new Script(), { budget: { ...roomy, callsPerCase: 1 } });
    const judges = opened.session.door(refOf('c'), 'judge');
    for (let i = 0; i < 3; i++) expect(await judges.chat(ask('arbiter'), never)).toMatchObject({ ok: true });
  });

  it('do not end the evaluation by a fault of theirs', async () => {
    const broken: Provider = {
      check: () => null,
      stream: () => failing(new ProviderFault('transport', 'OpenAI answered 500', { httpStatus: 502 })),
    };
    await using opened = await withJudge(broken, { targets: [openaiTarget] });
    expect(await opened.session.door(refOf('c'), 'judge').chat(ask('arbiter'), never)).toMatchObject({ ok: false });
    expect(opened.session.transportFault()).toBeNull();
    await opened.session.door(refOf('c'), 'grader').chat(ask('subject'), never);
    expect(opened.session.transportFault()).toBe('OpenAI answered 500');
  });

  it('are refused when the gateway could not ask or not pay them, by name', async () => {
    const message = async (more: object, config = {}) => {
      const opened = await createGateway(createProviders(config)).open({
        ...{ targets: [], budget: roomy, allotment: wholeBudget(roomy), judges: [judgeOf(more)], judging: purse() },
        ...{ world: worldOf(), signal: never, record: () => {} },
      });
      if (!opened.ok) return opened.message;
      await opened.session[Symbol.asyncDispose]();
      return null;
    };
    expect(await message({}, { openaiApiKey: 'k' })).toBeNull();
    expect(await message({})).toMatch(/^Judge "arbiter" \(openai\): set OPENAI_API_KEY/);
    expect(await message({ price: undefined }, { openaiApiKey: 'k' })).toMatch(/^Judge "arbiter" \(openai\) has no price/);
    expect(await message({ provider: 'simulated', model: 'nobody' })).toMatch(
      /^Judge "arbiter" \(simulated\): there is no simulated model "nobody"/,
    );
    expect(await message({ provider: 'replay', model: 'none.jsonl' })).toMatch(
      /^Judge "arbiter" \(replay\): the rubric has no file "none.jsonl"/,
    );
  });
});

describe('the time of a judge', () => {
  /** Sends a word whenever it is let, for ever, and says when it was stopped. */
  function babbler() {
    const state = { asked: 0, stopped: 0 };
    const provider: Provider = {
      check: () => null,
      stream: async function* (_request, _target, _context, signal): AsyncGenerator<ChatEvent> {
        state.asked++;
        signal.addEventListener('abort', () => state.stopped++, { once: true });
        while (!signal.aborted) {
          yield { type: 'text', text: 'hm ' };
          await new Promise<void>((resolve) => setImmediate(resolve));
        }
      },
    };
    return { state, provider };
  }

  it('ends however much the provider streams, is not retried, and is paid as the worst case', async () => {
    const { state, provider } = babbler();
    await using opened = await withJudge(provider);
    const result = await opened.session.door(refOf('c'), 'judge').chat(ask('arbiter'), never, { timeoutMs: 30 });
    expect(result).toMatchObject({
      ok: false,
      fault: { kind: 'transport', httpStatus: 504, message: expect.stringContaining('within 30 ms') },
    });
    await until(() => state.stopped === 1);
    expect(state.asked).toBe(1);
    expect(opened.session.judgeUsage()).toMatchObject({ calls: 1, outputTokens: arbiter.maxOutputTokens });
    expect(opened.session.usage().calls).toBe(0);
  });

  it('does not run while a call waits for its turn', async () => {
    const gate = Promise.withResolvers<void>();
    const script = new Script();
    script.reply = async function* () {
      if (script.last?.messages[0]?.content === 'first') await gate.promise;
      yield end('stop');
    };
    await using opened = await withJudge(script, { gateway: { pace: { start: 1, max: 1 } } });
    const judges = opened.session.door(refOf('c'), 'judge');
    const first = judges.chat(ask('arbiter', 'first'), never);
    await until(() => script.last !== null);
    const second = judges.chat(ask('arbiter', 'second'), never, { timeoutMs: 25 });
    // Longer than the second call may take, measured by the same clock that its deadline uses.
    const end25 = performance.now() + 50;
    await until(() => performance.now() > end25);
    gate.resolve();
    expect(await first).toMatchObject({ ok: true });
    expect(await second).toMatchObject({ ok: true });
  });
});
