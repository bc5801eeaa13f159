import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../contracts/canonical.ts';
import type { ChatRequest } from '../../contracts/chat.ts';
import { parseBoundedJson } from '../../contracts/json.ts';
import { TargetSpec } from '../../contracts/target.ts';
import { wireBounds } from '../../gateway/policy.ts';
import type { ChatEvent, Provider } from '../../gateway/providers/provider.ts';
import { openaiTarget, openTest, refOf, roomy, socketFolder, until, worldOf } from '../../gateway/test-support.ts';
import type { Child } from '../../sandboxes/wasm/child-process.ts';
import { callRelay } from '../../sandboxes/wasm/relay-calls.ts';

// Programs that use the way to the models for what it is not: other targets, other cases, faults and memory of ours.

const never = new AbortController().signal;
const ask = (content: string, target = 'echo'): ChatRequest => ({ target, messages: [{ role: 'user', content }] });
const end = (outputTokens: number): ChatEvent => ({
  type: 'end',
  stopReason: 'stop',
  tokens: { inputTokens: 1, outputTokens, estimated: false },
  returnedModel: 'm',
  fingerprint: null,
});

/** Answers nothing before it is let go; tells the most calls it ever had open. */
function held(): { provider: Provider; most(): number; release(): void } {
  const gate = Promise.withResolvers<void>();
  let open = 0;
  let most = 0;
  const provider: Provider = {
    check: () => null,
    stream: async function* () {
      open++;
      most = Math.max(most, open);
      await gate.promise;
      open--;
      yield end(1);
    },
  };
  return { provider, most: () => most, release: () => gate.resolve() };
}

/** Says `pieces`, then ends. */
const saying = (...pieces: string[]): Provider => ({
  check: () => null,
  stream: async function* () {
    for (const text of pieces) yield { type: 'text', text };
    yield end(1);
  },
});

async function dial(path: string): Promise<Socket & AsyncDisposable> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return Object.assign(socket, { [Symbol.asyncDispose]: async () => void socket.destroy() });
}

function posted(content: string): { head: string; body: string } {
  const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content }] });
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  return { head, body };
}

describe('another target than the case’s', () => {
  const targets = ['weak', 'strong'].map((name) => TargetSpec.parse({ name, provider: 'simulated', model: 'echo' }));
  const cases = [
    { split: 'public' as const, case: { id: 'hard', input: null, target: 'strong' } },
    { split: 'public' as const, case: { id: 'free', input: null } },
  ];

  it('is refused where the case names its own, for nothing', async () => {
    await using opened = await openTest({ targets, world: { ...worldOf(), cases } });
    const door = opened.session.door(refOf('hard'), 'submission');
    expect(await door.chat(ask('x', 'weak'), never)).toMatchObject({ ok: false, fault: { kind: 'policy', httpStatus: 404 } });
    expect(opened.session.usage().calls).toBe(0);
    expect(await door.chat(ask('x', 'strong'), never)).toMatchObject({ ok: true });
  });

  it('is open where the case names none, and to graders', async () => {
    await using opened = await openTest({ targets, world: { ...worldOf(), cases } });
    expect(await opened.session.door(refOf('free'), 'submission').chat(ask('x', 'weak'), never)).toMatchObject({ ok: true });
    expect(await opened.session.door(refOf('hard'), 'grader').chat(ask('x', 'weak'), never)).toMatchObject({ ok: true });
  });
});

describe('text that no UTF-8 can hold', () => {
  const places: [string, ChatRequest][] = [
    ['a message', ask('x\ud800')],
    ['a stop text', { ...ask('x'), stop: ['\udc00'] }],
    ['the name of a tool’s parameter', { ...ask('x'), tools: [{ name: 't', parameters: { '\ud800': 1 } }] }],
  ];
  it.each(places)('in %s is the sender’s fault and leaves a transcript that can be stored', async (_place, request) => {
    await using opened = await openTest();
    const door = opened.session.door(refOf('c'), 'submission');
    expect(await door.chat(request, never)).toMatchObject({ ok: false, fault: { kind: 'policy', httpStatus: 400 } });
    expect(() => canonicalJson([...door.exchanges()])).not.toThrow();
    expect(opened.session.transportFault()).toBeNull();
  });

  it('is not recorded when a target says it, and is mended when it comes in two pieces', async () => {
    await using opened = await openTest({ providers: { simulated: saying('a\ud83d', '\ude00 b\ud800') } });
    const door = opened.session.door(refOf('c'), 'submission');
    expect(await door.chat(ask('x'), never)).toMatchObject({ ok: true, reply: { content: 'a\u{1f600} b\ufffd' } });
    expect(() => canonicalJson([...door.exchanges()])).not.toThrow();
  });
});

describe('a request that outlives its case', () => {
  it('asks nobody when the rest of it comes later', async () => {
    await using opened = await openTest();
    await using folder = await socketFolder();
    const sandbox = opened.session.sandboxDoor();
    await using _listening = await sandbox.listen(folder.path('s'));
    const door = opened.session.door(refOf('first'), 'submission');
    sandbox.enter(door);
    await using socket = await dial(folder.path('s'));
    const { head, body } = posted('late');
    const replies: string[] = [];
    socket.on('data', (part) => replies.push(part.toString()));
    // The answer to an earlier request tells that the gateway has this one's head, which was sent with it.
    socket.write(`GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n`);
    await until(() => replies.length > 0);
    socket.write(head + body.slice(0, 5));
    await until(() => socket.bytesWritten > head.length && socket.writableLength === 0);
    await new Promise<void>((resolve) => setImmediate(resolve));
    sandbox.enter(null);
    sandbox.enter(opened.session.door(refOf('second'), 'submission'));
    socket.write(body.slice(5));
    await until(() => replies.length > 1);
    expect(door.exchanges()).toEqual([]);
    expect(opened.recorded.filter(({ ref }) => ref.caseId === 'first')).toEqual([]);
  });

  it('is closed for every kind of caller', async () => {
    await using opened = await openTest();
    const sandbox = opened.session.sandboxDoor();
    const door = opened.session.door(refOf('first'), 'submission');
    sandbox.enter(door);
    sandbox.enter(null);
    expect(await door.chat(ask('x'), never)).toMatchObject({ ok: false, fault: { kind: 'aborted' } });
  });
});

describe('memory of the worker', () => {
  it('cannot be filled by requests that wait for no answer (pipelining)', async () => {
    const model = held();
    await using opened = await openTest({ providers: { simulated: model.provider } });
    await using folder = await socketFolder();
    const sandbox = opened.session.sandboxDoor();
    await using _listening = await sandbox.listen(folder.path('s'));
    sandbox.enter(opened.session.door(refOf('c'), 'submission'));
    await using socket = await dial(folder.path('s'));
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {});
    const { head, body } = posted('x');
    socket.write((head + body).repeat(50));
    await closed;
    expect(model.most()).toBeLessThanOrEqual(1);
    model.release();
  });

  it('answers one request after another on one connection', async () => {
    await using opened = await openTest();
    await using folder = await socketFolder();
    const sandbox = opened.session.sandboxDoor();
    await using _listening = await sandbox.listen(folder.path('s'));
    sandbox.enter(opened.session.door(refOf('c'), 'submission'));
    await using socket = await dial(folder.path('s'));
    let replies = '';
    socket.on('data', (part) => {
      replies += part.toString();
    });
    for (let i = 1; i <= 5; i++) {
      const { head, body } = posted(`number ${i}`);
      socket.write(head + body);
      await until(() => replies.includes(`number ${i}`));
    }
    expect(replies.match(/HTTP\/1\.1 200/g)).toHaveLength(5);
  });

  it('nor its disk: conversations too long for the model are counted, not kept', async () => {
    const small = TargetSpec.parse({ name: 'echo', provider: 'simulated', model: 'echo', contextTokens: 1_000 });
    await using opened = await openTest({ targets: [small], budget: { ...roomy, inputTokens: 100_000_000 } });
    const door = opened.session.door(refOf('c'), 'submission');
    for (let i = 0; i < 40; i++) {
      expect(await door.chat(ask('x'.repeat(200_000)), never)).toMatchObject({ ok: false, fault: { kind: 'overflow' } });
    }
    expect(opened.recorded).toHaveLength(40);
    expect(opened.session.usage().calls).toBe(40);
    expect(canonicalJson([...door.exchanges()]).length).toBeLessThan(1_500_000);
  });

  it('cannot be filled by calls that are given up while they wait for budget', async () => {
    const model = held();
    const budget = { calls: 1000, inputTokens: 100_000, outputTokens: 1_000_000, costMicros: 0 };
    await using opened = await openTest({ providers: { simulated: model.provider }, budget });
    const door = opened.session.door(refOf('c'), 'submission');
    const first = door.chat(ask('x'.repeat(60_000)), never);
    await until(() => model.most() === 1);
    for (let i = 0; i < 300; i++) {
      const gone = new AbortController();
      const waiting = door.chat(ask('y'.repeat(60_000)), gone.signal);
      gone.abort();
      await waiting;
    }
    model.release();
    await first;
    expect(door.exchanges().length).toBeLessThan(30);
    expect(opened.session.usage().calls).toBe(1);
  });
});

describe('time of the worker', () => {
  const flood = (item: string) => `[${Array<string>(400_000).fill(item).join(',')}]`;
  it.each([
    ['messages', `{"model":"echo","messages":${flood('{}')}}`],
    ['tools', `{"model":"echo","messages":[],"tools":${flood('{}')}}`],
  ])('is not spent on a flood of %s that no schema accepts', (_what, body) => {
    expect(parseBoundedJson(Buffer.from(body), wireBounds)).toEqual({ ok: false, problem: 'holds more than 20000 values' });
  });

  it('is not spent on it when it comes from the small sandbox', async () => {
    const sent: object[] = [];
    const child: Child = { pid: -1, listen: () => {}, send: (frame) => void sent.push(frame), alive: () => true, kill: async () => {} };
    await using opened = await openTest();
    const relay = callRelay(child, { id: 'c', input: null, target: 'echo' }, opened.session.sandboxDoor(), never);
    relay({ type: 'chat', call: 0, request: `{"messages":${flood('1')},"options":{}}` }, (message) => expect.unreachable(message));
    expect(sent).toEqual([{ type: 'refusal', call: 0, kind: 'invalid', message: 'the request holds more than 20000 values' }]);
  });

  it('is bounded so that as many messages and tools as are allowed still pass', () => {
    const messages = Array.from({ length: 2000 }, (_, i) => ({
      role: i % 2 === 0 ? 'user' : 'assistant',
      content: [{ type: 'text', text: 'a, b, [c]' }],
    }));
    const parsed = parseBoundedJson(Buffer.from(JSON.stringify({ model: 'echo', messages })), wireBounds);
    expect(parsed.ok).toBe(true);
  });
});

describe('a reply without end', () => {
  it('is the caller’s doing: asked once, charged in full, no fault of ours', async () => {
    let tries = 0;
    const endless: Provider = {
      check: () => null,
      stream: async function* () {
        tries++;
        for (;;) yield { type: 'text', text: ' '.repeat(1000) };
      },
    };
    const gateway = { limits: { replyCharacters: 10_000 } };
    await using opened = await openTest({ targets: [openaiTarget], providers: { openai: endless }, gateway, budget: roomy });
    const door = opened.session.door(refOf('c'), 'submission');
    expect(await door.chat(ask('x', 'subject'), never)).toMatchObject({ ok: false, fault: { kind: 'overflow' } });
    expect(tries).toBe(1);
    expect(opened.session.transportFault()).toBeNull();
    expect(opened.session.usage()).toMatchObject({ calls: 1, outputTokens: 100 });
  });
});
