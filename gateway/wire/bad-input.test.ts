import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../../contracts/json.ts';
import { echoTarget, type Opened, openTest, refOf, socketFolder } from '../test-support.ts';
import { parseAnthropic } from './anthropic.ts';
import { parseOpenAi } from './openai.ts';

const stack = new AsyncDisposableStack();
let opened: Opened;
let socketPath: string;

beforeAll(async () => {
  const folder = stack.use(await socketFolder());
  opened = stack.use(await openTest({ targets: [echoTarget] }));
  socketPath = folder.path('gw.sock');
  stack.use(await opened.session.door(refOf('c'), 'submission').listen(socketPath));
});
afterAll(() => stack.disposeAsync());

async function post(
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: { type?: string; error: { message: string } } }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: { error: { message: string } } }>();
  const request = httpRequest(
    { socketPath, path, method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) }));
    },
  );
  request.on('error', reject);
  request.end(body);
  return promise;
}

const hello = { model: 'echo', max_tokens: 10, messages: [{ role: 'user', content: 'x' }] };
const image = { type: 'image_url', image_url: { url: 'http://169.254.169.254/' } };

describe.each(['/v1/chat/completions', '/v1/messages'])('%s', (path) => {
  it.each([
    ['a body that is no JSON', '{', 400, 'not JSON'],
    ['NaN', '{"model":"echo","temperature":NaN}', 400, 'not JSON'],
    ['JSON nested 100,000 deep', `{"model":${'['.repeat(100_000)}`, 400, '100001 levels deep'],
    ['a key that reaches a prototype', '{"model":"echo","__proto__":{"stream":true}}', 400, '__proto__'],
    ['text that is not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 400, 'not valid UTF-8'],
    ['a body that is no object', '[]', 400, 'must be a JSON object'],
    ['an empty body', '', 400, 'not JSON'],
    ['no messages', '{"model":"echo","max_tokens":5,"messages":[]}', 400, 'messages'],
    ['a temperature beyond the scale', JSON.stringify({ ...hello, temperature: 9 }), 400, 'temperature'],
    ['a limit that is no whole number', JSON.stringify({ ...hello, max_tokens: 0.5 }), 400, 'max_tokens'],
    ['an unknown parameter', JSON.stringify({ ...hello, constructor_: 1 }), 400, '"constructor_" is not a parameter'],
    ['too many messages', JSON.stringify({ ...hello, messages: Array(2001).fill(hello.messages[0]) }), 400, 'messages'],
    ['remote media', JSON.stringify({ ...hello, messages: [{ role: 'user', content: [image] }] }), 400, 'image_url'],
    ['a tool at the provider', JSON.stringify({ ...hello, tools: [{ type: 'web_search', name: 'w' }] }), 400, 'tools'],
  ])('refuses %s', async (_name, body, status, words) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toContain(words);
    expect(answer.body.type).toBe(path === '/v1/messages' ? 'error' : undefined);
  });

  it('refuses a body over 2 MB, announced or not', async () => {
    const large = `{"model":"${'x'.repeat(2_100_000)}"}`;
    expect((await post(path, large)).status).toBe(413);
    expect((await post(path, large, { 'transfer-encoding': 'chunked' })).status).toBe(413);
  });

  it('refuses compressed bodies', async () => {
    expect((await post(path, 'x', { 'content-encoding': 'gzip' })).status).toBe(415);
  });
});

describe('parameters', () => {
  const openai = (more: Record<string, Json>) => parseOpenAi({ model: 'echo', messages: hello.messages, ...more });
  const anthropic = (more: Record<string, Json>) => parseAnthropic({ ...hello, ...more });
  const message = (result: ReturnType<typeof parseOpenAi>) => (result.ok ? null : result.fault.message);

  it.each([
    ['n', { n: 2 }],
    ['logprobs', { logprobs: true }],
    ['web_search_options', { web_search_options: {} }],
    ['store', { store: true }],
    ['audio', { audio: { voice: 'x' } }],
    ['response_format', { response_format: { type: 'json_object' } }],
    ['functions', { functions: [] }],
  ])('openai: %s is refused by name', (name, more) => {
    expect(message(openai(more))).toContain(`"${name}"`);
  });

  it.each([
    ['mcp_servers', { mcp_servers: [{ url: 'http://x' }] }],
    ['container', { container: 'c' }],
    ['thinking', { thinking: { type: 'enabled', budget_tokens: 1024 } }],
    ['top_k', { top_k: 5 }],
  ])('anthropic: %s is refused by name', (name, more) => {
    expect(message(anthropic(more))).toContain(`"${name}"`);
  });

  it.each(['image', 'document', 'server_tool_use', 'container_upload'])('anthropic: content of type %s is refused', (type) => {
    expect(message(anthropic({ messages: [{ role: 'user', content: [{ type, source: { type: 'url', url: 'http://x' } }] }] }))).toContain(
      type,
    );
  });

  it('what changes nothing is accepted', () => {
    expect(
      openai({ n: 1, user: 'u', logprobs: false, presence_penalty: 0, response_format: { type: 'text' }, seed: null, stop: 'END' }),
    ).toMatchObject({
      ok: true,
      parsed: { request: { stop: ['END'] } },
    });
    const cached = { type: 'text', text: 'a', cache_control: { type: 'ephemeral' } };
    expect(anthropic({ metadata: { user_id: 'u' }, system: [cached, cached], thinking: { type: 'disabled' } })).toMatchObject({
      ok: true,
      parsed: {
        request: {
          messages: [
            { role: 'system', content: 'a\na' },
            { role: 'user', content: 'x' },
          ],
        },
      },
    });
  });

  it('no JSON makes a parser throw', () => {
    const property = fc.property(fc.jsonValue(), fc.jsonValue(), (value, inner) => {
      for (const parse of [parseOpenAi, parseAnthropic]) {
        expect(typeof parse(value as Json).ok).toBe('boolean');
        expect(typeof parse({ ...hello, messages: [{ role: 'assistant', content: inner as Json }], tools: [inner as Json] }).ok).toBe(
          'boolean',
        );
        expect(typeof parse({ ...hello, messages: inner as Json }).ok).toBe('boolean');
      }
    });
    fc.assert(property, { numRuns: 300 });
  });
});

describe('the server', () => {
  it('says what there is when asked for something else', async () => {
    const answer = await post('/v1/embeddings', '{}');
    expect(answer).toMatchObject({ status: 404, body: { error: { message: expect.stringContaining('/v1/chat/completions') } } });
  });

  it('answers garbage with 400 and goes on', async () => {
    const socket = connect(socketPath);
    const answer = await new Promise<string>((resolve, reject) => {
      socket.on('data', (data: Buffer) => resolve(data.toString()));
      socket.on('error', reject);
      socket.write('\x16\x03\x01 not http\r\n\r\n');
    });
    socket.destroy();
    expect(answer).toContain('400');
    expect((await post('/v1/chat/completions', JSON.stringify({ model: 'echo', messages: hello.messages }))).status).toBe(200);
  });
});
