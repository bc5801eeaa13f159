import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { ChatRequest, ChatResult } from '../../contracts/chat.ts';
import type { Json } from '../../contracts/json.ts';
import type { TargetSpec } from '../../contracts/target.ts';
import { inputTokenBound } from '../token-bound.ts';
import {
  anthropicEvents,
  anthropicTarget,
  loopback,
  openaiEvents,
  openaiTarget,
  type Opened,
  openTest,
  refOf,
  sendEvents,
  sendJson,
  type Seen,
} from '../test-support.ts';
import { retryAfterOf } from './http-fault.ts';

const never = new AbortController().signal;
const request: ChatRequest = { target: 'subject', messages: [{ role: 'user', content: 'Hello?' }] };

interface Ran {
  result: ChatResult;
  seen: Seen[];
  opened: Opened;
}

/** One call to a provider on the loopback that answers as told. */
async function run(
  target: TargetSpec,
  answer: (response: ServerResponse, seen: Seen, number: number) => void,
  options: { request?: ChatRequest; idleMs?: number; streaming?: boolean } = {},
): Promise<Ran> {
  await using server = await loopback(answer);
  await using opened = await openTest({ targets: [target], baseUrl: server.url, gateway: { limits: { idleMs: options.idleMs ?? 5_000 } } });
  const door = opened.session.door(refOf('c'), 'submission');
  const result = options.streaming ? await door.stream(request, never, () => {}) : await door.chat(options.request ?? request, never);
  return { result, seen: server.seen, opened };
}

const wires = [
  {
    name: 'openai',
    cutAfter: 1,
    target: openaiTarget,
    events: openaiEvents,
    length: 'length',
    error: (type: string, message: string): Json => ({ error: { message, type: 'invalid_request_error', code: type } }),
    overflow: ['context_length_exceeded', "This model's maximum context length is 8192 tokens."] as [string, string],
    model: 'gpt-test-2026',
  },
  {
    name: 'anthropic',
    cutAfter: 3,
    target: anthropicTarget,
    events: anthropicEvents,
    length: 'max_tokens',
    error: (type: string, message: string): Json => ({ type: 'error', error: { type, message } }),
    overflow: ['invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'] as [string, string],
    model: 'claude-test-2026',
  },
];

describe.each(wires)('the $name provider', ({ target, events, cutAfter, length, error, overflow, model }) => {
  const fine = (response: ServerResponse) => sendEvents(response, events(['Hel', 'lo']));

  it('streams a reply and charges what the provider counted', async () => {
    const { result, seen, opened } = await run(target, fine);
    expect(result).toMatchObject({
      ok: true,
      reply: {
        content: 'Hello',
        stopReason: 'stop',
        requestedModel: target.model,
        returnedModel: model,
        tokens: { inputTokens: 7, outputTokens: 3, estimated: false },
      },
    });
    expect(opened.session.usage()).toEqual({ calls: 1, inputTokens: 7, outputTokens: 3, costMicros: '13' });
    expect(seen[0]?.body).toMatchObject({ model: target.model, stream: true, max_tokens: 100, temperature: 0 });
  });

  it('asks again after 429, waits as Retry-After says up to a cap, and charges one call', async () => {
    const { result, seen, opened } = await run(target, (response, _seen, number) => {
      if (number === 0) sendJson(response, 429, error('rate_limit_error', 'org-secret is over its limit'), { 'retry-after': '3' });
      else if (number === 1) sendJson(response, 529, error('overloaded_error', 'x'), { 'retry-after': '900' });
      else fine(response);
    });
    expect(result.ok).toBe(true);
    expect(seen).toHaveLength(3);
    expect(opened.delays).toEqual([3_000, 20_000]);
    expect(opened.session.usage().calls).toBe(1);
    expect(opened.session.transportFault()).toBeNull();
  });

  it('gives up after three tries, charges nothing and says nothing of what the provider wrote', async () => {
    const { result, seen, opened } = await run(target, (response) =>
      sendJson(response, 500, error('api_error', 'sk-test-key-that-must-not-leak')),
    );
    expect(result).toMatchObject({ ok: false, fault: { kind: 'transport', httpStatus: 502 } });
    expect(seen).toHaveLength(3);
    expect(opened.session.usage()).toEqual({ calls: 0, inputTokens: 0, outputTokens: 0, costMicros: '0' });
    expect(opened.session.transportFault()).toContain('500');
    expect(JSON.stringify(opened.recorded)).not.toContain('must-not-leak');
  });

  it('does not repeat what cannot get better: a wrong key', async () => {
    const { result, seen, opened } = await run(target, (response) =>
      sendJson(response, 401, error('invalid_api_key', 'Incorrect key sk-test-key-that-must-not-leak')),
    );
    expect(result).toMatchObject({ ok: false, fault: { kind: 'transport' } });
    expect(seen).toHaveLength(1);
    expect(JSON.stringify(opened.recorded)).not.toContain('must-not-leak');
  });

  it('ends calls that nobody answers', async () => {
    const { result, seen } = await run(target, () => {});
    expect(result).toMatchObject({ ok: false, fault: { kind: 'transport', httpStatus: 504 } });
    expect(seen).toHaveLength(3);
  });

  it('ends streams that fall silent', async () => {
    const { result } = await run(target, (response) => sendEvents(response, events(['a']).slice(0, 2), false), { idleMs: 60 });
    expect(result).toMatchObject({ ok: false, fault: { kind: 'transport', httpStatus: 504, message: expect.stringContaining('silent') } });
  });

  it('asks again after malformed and cut replies when nobody has seen a part of them', async () => {
    const { result, seen } = await run(target, (response, _seen, number) => {
      if (number === 0) sendEvents(response, ['event: message_start\ndata: {"type":"message_start",\n\n']);
      else if (number === 1) sendEvents(response, events(['half']).slice(0, cutAfter));
      else fine(response);
    });
    expect(result).toMatchObject({ ok: true, reply: { content: 'Hello' } });
    expect(seen).toHaveLength(3);
  });

  it('does not ask again once a streaming caller has seen a part, and charges what may have been used', async () => {
    const { result, seen, opened } = await run(target, (response) => sendEvents(response, events(['half']).slice(0, cutAfter)), {
      streaming: true,
    });
    expect(result).toMatchObject({ ok: false, fault: { kind: 'transport' } });
    expect(seen).toHaveLength(1);
    expect(opened.session.usage()).toMatchObject({ calls: 1, outputTokens: 100 });
  });

  it('takes a broken connection for a transport fault', async () => {
    const { result, seen } = await run(target, (response) => response.destroy());
    expect(result).toMatchObject({ ok: false, fault: { kind: 'transport', httpStatus: 502 } });
    expect(seen).toHaveLength(3);
  });

  it('charges the worst case when usage is missing, and says that it is an estimate', async () => {
    const { result, opened } = await run(target, (response) => sendEvents(response, events(['Hi'], undefined, null)));
    const inputTokens = inputTokenBound(request);
    expect(result).toMatchObject({ ok: true, reply: { tokens: { inputTokens, outputTokens: 100, estimated: true } } });
    expect(opened.session.usage()).toMatchObject({ inputTokens, outputTokens: 100 });
  });

  it('charges usage above the reservation and shows it as overshoot', async () => {
    const usage = { prompt_tokens: 7, completion_tokens: 130, input_tokens: 7, output_tokens: 130 };
    const { opened } = await run(target, (response) => sendEvents(response, events(['Hi'], undefined, usage)));
    expect(opened.session.usage().outputTokens).toBe(130);
    expect(opened.session.overshoot()).toMatchObject({ outputTokens: 30 });
  });

  it('gives a cut by length as behaviour', async () => {
    const { result } = await run(target, (response) => sendEvents(response, events(['Hi'], length)));
    expect(result).toMatchObject({ ok: true, reply: { stopReason: 'length' } });
  });

  it('gives a conversation that is too long back to its sender, without a retry', async () => {
    const { result, seen, opened } = await run(target, (response) => sendJson(response, 400, error(...overflow)));
    expect(result).toMatchObject({ ok: false, fault: { kind: 'overflow', httpStatus: 400 } });
    expect(seen).toHaveLength(1);
    expect(opened.session.transportFault()).toBeNull();
    expect(opened.session.usage()).toMatchObject({ calls: 1, inputTokens: 0 });
  });

  it('gives other bad requests back to their sender', async () => {
    const { result, opened } = await run(target, (response) =>
      sendJson(response, 400, error('invalid_request_error', 'tools.0: bad schema')),
    );
    expect(result).toMatchObject({ ok: false, fault: { kind: 'policy', httpStatus: 400, message: expect.stringContaining('bad schema') } });
    expect(opened.session.transportFault()).toBeNull();
  });
});

describe('what only one provider says', () => {
  it('openai: a filter in the reply, a filter of the request, a refusal', async () => {
    const filtered = await run(openaiTarget, (response) => sendEvents(response, openaiEvents(['x'], 'content_filter')));
    expect(filtered.result).toMatchObject({ ok: true, reply: { stopReason: 'content_filter' } });
    const blocked = await run(openaiTarget, (response) =>
      sendJson(response, 400, { error: { code: 'content_filter', message: 'm', type: null } }),
    );
    expect(blocked.result).toMatchObject({ ok: true, reply: { stopReason: 'content_filter', content: '' } });
    const refusal = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { refusal: 'No.' }, finish_reason: null }] })}\n\n`;
    const refused = await run(openaiTarget, (response) => sendEvents(response, [refusal, ...openaiEvents([])]));
    expect(refused.result).toMatchObject({ ok: true, reply: { stopReason: 'refusal', content: 'No.' } });
  });

  it('openai: tools that share an index, and a finish that forgets them', async () => {
    const tool = (id: string, name: string) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id, function: { name, arguments: '{}' } }] }, finish_reason: null }] })}\n\n`;
    const { result } = await run(openaiTarget, (response) =>
      sendEvents(response, [tool('a', 'one'), tool('b', 'two'), ...openaiEvents([])]),
    );
    expect(result).toMatchObject({
      ok: true,
      reply: {
        stopReason: 'tool_calls',
        toolCalls: [
          { id: 'a', name: 'one', arguments: '{}' },
          { id: 'b', name: 'two', arguments: '{}' },
        ],
      },
    });
  });

  it('openai: an account without credit is not asked again', async () => {
    const { result, seen } = await run(openaiTarget, (response) =>
      sendJson(response, 429, { error: { code: 'insufficient_quota', type: 'insufficient_quota', message: 'm' } }),
    );
    expect(result).toMatchObject({ ok: false, fault: { kind: 'transport', message: expect.stringContaining('no credit') } });
    expect(seen).toHaveLength(1);
  });

  it('anthropic: refusal, tools, an overload inside the stream', async () => {
    const refused = await run(anthropicTarget, (response) => sendEvents(response, anthropicEvents(['No.'], 'refusal')));
    expect(refused.result).toMatchObject({ ok: true, reply: { stopReason: 'refusal' } });
    const overloaded = await run(anthropicTarget, (response, _seen, number) => {
      if (number > 0) sendEvents(response, anthropicEvents(['ok']));
      else
        sendEvents(response, [
          `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })}\n\n`,
        ]);
    });
    expect(overloaded.result).toMatchObject({ ok: true, reply: { content: 'ok' } });
    expect(overloaded.seen).toHaveLength(2);
  });

  it('anthropic: system words, tools and results in its own shape', async () => {
    const conversation: ChatRequest = {
      target: 'subject',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Riga?' },
        {
          role: 'assistant',
          content: '',
          toolCalls: [
            { id: 'a', name: 'weather', arguments: '{"city":"Riga"}' },
            { id: 'b', name: 'weather', arguments: 'oops' },
          ],
        },
        { role: 'tool', content: '3', toolCallId: 'a' },
        { role: 'tool', content: 'bad', toolCallId: 'b' },
      ],
      tools: [{ name: 'weather', parameters: { type: 'object', properties: {} } }],
      toolChoice: { name: 'weather' },
    };
    const { seen } = await run(anthropicTarget, (response) => sendEvents(response, anthropicEvents(['ok'])), { request: conversation });
    expect(seen[0]?.body).toMatchObject({
      system: 'Be brief.',
      tool_choice: { type: 'tool', name: 'weather' },
      messages: [
        { role: 'user', content: 'Riga?' },
        {
          role: 'assistant',
          content: [
            { type: 'tool_use', id: 'a', input: { city: 'Riga' } },
            { type: 'tool_use', id: 'b', input: { unparsed: 'oops' } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'a' },
            { type: 'tool_result', tool_use_id: 'b' },
          ],
        },
      ],
    });
  });
});

describe('retryAfterOf', () => {
  it('reads seconds, milliseconds and dates, and nothing else', () => {
    const of = (headers: Record<string, string>) => retryAfterOf({ get: (name) => headers[name] ?? null }, Date.UTC(2026, 0, 1));
    expect(of({ 'retry-after': '1.5' })).toBe(1_500);
    expect(of({ 'retry-after-ms': '20', 'retry-after': '9' })).toBe(20);
    expect(of({ 'retry-after': 'Thu, 01 Jan 2026 00:00:07 GMT' })).toBe(7_000);
    expect(of({ 'retry-after': 'soon' })).toBeUndefined();
    expect(of({})).toBeUndefined();
  });
});
