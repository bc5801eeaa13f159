import { expect, describe, it } from 'vitest';
import type { ChatRequest, ReplyCache } from '../contracts/chat.ts';
import { JudgeSpec, targetOfJudge } from '../contracts/judging.ts';
import { wholeBudget } from './allotment.ts';
import { type Provider, ProviderFault } from './providers/provider.ts';
import { keyOfReply, memoryReplyCache } from './reply-cache.ts';
import { end, failing, Script } from './test-script.ts';
import { echoTarget, openaiTarget, openTest, price, refOf, roomy } from './test-support.ts';

const never = new AbortController().signal;
const judgeOf = (more: object) => targetOfJudge(JudgeSpec.parse({ name: 'arbiter', provider: 'openai', model: 'judge-1', price, ...more }));
const arbiter = judgeOf({});
const ask = (target: string, content = 'x'): ChatRequest => ({ target, messages: [{ role: 'user', content }] });
const purse = (budget = roomy, replies: ReplyCache | null = null) => ({ budget, allotment: wholeBudget(budget), replies });

/** Judges behind a scripted provider, with or without kept replies. */
async function withJudge(script: Script | Provider, more: Parameters<typeof openTest>[0] = {}) {
  return await openTest({ judges: [arbiter], judging: purse(), providers: { openai: script }, ...more });
}

describe('kept replies', () => {
  const keeper = (script = new Script()) => {
    const counted = { asked: 0 };
    const provider: Provider = {
      address: 'https://judge.example/v1',
      check: () => null,
      stream: (request, target, context, signal) => {
        counted.asked++;
        return script.stream(request, target, context, signal);
      },
    };
    return { script, counted, provider };
  };

  it('cost nothing the second time, and the transcript says that they were kept', async () => {
    const { script, counted, provider } = keeper();
    script.say({ type: 'text', text: 'yes' }, end('stop'));
    const replies = memoryReplyCache();
    for (const cached of [undefined, true]) {
      await using opened = await withJudge(provider, { judging: purse(roomy, replies) });
      const judges = opened.session.door(refOf('c'), 'judge');
      expect(await judges.chat(ask('arbiter'), never)).toMatchObject({ ok: true, reply: { content: 'yes', id: 'call-0' } });
      expect(judges.exchanges()[0]?.cached).toBe(cached);
      expect(opened.session.judgeUsage().calls).toBe(cached ? 0 : 1);
      expect(judges.exchanges()[0]?.charged.calls).toBe(cached ? 0 : 1);
    }
    expect(counted.asked).toBe(1);
  });

  it('answer no call that must be fresh, and none is kept of it', async () => {
    const { counted, provider } = keeper();
    const replies = memoryReplyCache();
    await using opened = await withJudge(provider, { judging: purse(roomy, replies) });
    const judges = opened.session.door(refOf('c'), 'judge');
    const calls = [true, false, true, false].map((fresh) => ({ fresh }));
    for (const how of calls) expect(await judges.chat(ask('arbiter'), never, how)).toMatchObject({ ok: true });
    expect(counted.asked).toBe(3);
    expect(judges.exchanges().map(({ cached }) => cached === true)).toEqual([false, false, false, true]);
  });

  it('need no budget, so that a resumed evaluation is not stopped by what it has paid before', async () => {
    const { provider } = keeper();
    const replies = memoryReplyCache();
    await using rich = await withJudge(provider, { judging: purse(roomy, replies) });
    await rich.session.door(refOf('c'), 'judge').chat(ask('arbiter'), never);
    await using poor = await withJudge(provider, { judging: purse({ ...roomy, calls: 0 }, replies) });
    expect(await poor.session.door(refOf('c'), 'judge').chat(ask('arbiter'), never)).toMatchObject({ ok: true });
  });

  it('are of judges only', async () => {
    const { counted, provider } = keeper();
    await using opened = await withJudge(provider, { targets: [openaiTarget], judging: purse(roomy, memoryReplyCache()) });
    const submission = opened.session.door(refOf('c'), 'submission');
    for (let i = 0; i < 2; i++) await submission.chat(ask('subject'), never);
    expect(counted.asked).toBe(2);
  });

  it('are not kept of failed calls, nor where the budget cut the answer short', async () => {
    const { script, counted, provider } = keeper();
    const replies = memoryReplyCache();
    script.reply = () => failing(new ProviderFault('transport', 'broken', { httpStatus: 502 }));
    await using opened = await withJudge(provider, { judging: purse({ ...roomy, outputTokens: 50 }, replies) });
    const judges = opened.session.door(refOf('c'), 'judge');
    expect(await judges.chat(ask('arbiter'), never)).toMatchObject({ ok: false });
    script.say(end('length'));
    expect(await judges.chat(ask('arbiter'), never)).toMatchObject({ ok: true, reply: { stopReason: 'length' } });
    await using next = await withJudge(provider, { judging: purse(roomy, replies) });
    await next.session.door(refOf('c'), 'judge').chat(ask('arbiter'), never);
    expect(counted.asked).toBe(3);
  });

  it('are given back by a case of which nothing came', async () => {
    const { counted, provider } = keeper();
    const replies = memoryReplyCache();
    for (let i = 0; i < 2; i++) {
      await using opened = await withJudge(provider, { judging: purse(roomy, replies) });
      const judges = opened.session.door(refOf('c'), 'judge');
      await judges.chat(ask('arbiter'), never);
      await judges.forgetReplies();
    }
    expect(counted.asked).toBe(2);
  });

  it('that cannot be read or written are said to be the platform’s fault, and never hide a cost', async () => {
    const gone = () => Promise.reject(new Error('disk gone'));
    const { counted, provider } = keeper();
    await using unread = await withJudge(provider, { judging: purse(roomy, { ...memoryReplyCache(), get: gone }) });
    const message = expect.stringContaining('disk gone');
    expect(await unread.session.door(refOf('c'), 'judge').chat(ask('arbiter'), never)).toMatchObject({
      ok: false,
      fault: { kind: 'transport', message },
    });
    expect(counted.asked).toBe(0);
    await using unkept = await withJudge(provider, { judging: purse(roomy, { ...memoryReplyCache(), put: gone }) });
    expect(await unkept.session.door(refOf('c'), 'judge').chat(ask('arbiter'), never)).toMatchObject({
      ok: false,
      fault: { kind: 'transport', message },
    });
    expect(unkept.session.judgeUsage()).toMatchObject({ calls: 1, inputTokens: 11, outputTokens: 5 });
  });

  it('are found by everything that decides the reply', () => {
    const request: ChatRequest = {
      ...ask('arbiter'),
      tools: [{ name: 'judge', parameters: {}, strict: true }],
      toolChoice: { name: 'judge' },
    };
    const key = (changes: Partial<ChatRequest> = {}, target = arbiter, address = 'https://a') =>
      keyOfReply({ ...request, ...changes }, target, address);
    expect(key({ target: 'other-name' }, { ...arbiter, name: 'other-name' })).toBe(key());
    expect(key({ temperature: 0, maxOutputTokens: 99_999 })).toBe(key());
    const others = [
      key({ messages: [{ role: 'user', content: 'y' }] }),
      key({ temperature: 1 }),
      key({ maxOutputTokens: 7 }),
      key({ tools: [] }),
      key({ toolChoice: 'auto' }),
      key({}, { ...arbiter, model: 'judge-2' }),
      key({}, { ...arbiter, provider: 'anthropic' }),
      key({}, { ...arbiter, settings: { sampling: 'default' } }),
      key({}, arbiter, 'https://b'),
    ];
    expect(new Set([key(), ...others]).size).toBe(10);
  });
});

it('judges that answer from this process are never kept: they cost nothing', async () => {
  const replies = memoryReplyCache();
  await using opened = await openTest({ judges: [{ ...echoTarget, name: 'arbiter' }], judging: purse(roomy, replies) });
  const judges = opened.session.door(refOf('c'), 'judge');
  for (let i = 0; i < 2; i++) await judges.chat(ask('arbiter'), never);
  expect(judges.exchanges().map(({ cached, simulated }) => [cached, simulated])).toEqual([
    [undefined, true],
    [undefined, true],
  ]);
});
