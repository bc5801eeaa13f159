import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** What arrived: the last message, its number from 0, and a promise that resolves when the client has gone away. */
export interface Asked {
  text: string;
  number: number;
  gone: Promise<void>;
  /** The model that is asked, and every message. */
  model: string;
  messages: readonly { role: string; content: string }[];
}

/** What the server does with one call. */
export type Behaviour =
  | { say: string; finish?: string; refusal?: boolean }
  | { call: { name: string; arguments: object } }
  | { status: number; error?: { code?: string; message?: string }; retryAfterMs?: number }
  /** These bytes as an event stream, then its end. */
  | { raw: string }
  /** Half a reply and then nothing, or nothing at all, until the client leaves. */
  | { hang: 'before' | 'middle' }
  | { cut: true };

export interface OpenAiServer extends AsyncDisposable {
  baseUrl: string;
  /** Last messages of all calls so far. */
  asked: string[];
  behave(how: (asked: Asked) => Behaviour | Promise<Behaviour>): void;
}

/** A server on loopback that speaks the wire format of OpenAI's streamed chat completions, well or badly as told. */
export async function openAiServer(): Promise<OpenAiServer> {
  const asked: string[] = [];
  let how: (asked: Asked) => Behaviour | Promise<Behaviour> = ({ text }) => ({ say: text });
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await textOf(request)) as { model: string; messages: { role: string; content: string }[] };
    const text = body.messages.at(-1)?.content ?? '';
    const gone = Promise.withResolvers<void>();
    response.on('close', gone.resolve);
    const number = asked.push(text) - 1;
    answer(response, body.model, await how({ text, number, gone: gone.promise, model: body.model, messages: body.messages }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    baseUrl: `http://127.0.0.1:${address.port}/v1`,
    asked,
    behave: (next) => {
      how = next;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(response: ServerResponse, model: string, behaviour: Behaviour): void {
  if ('status' in behaviour) {
    const { status, error = {}, retryAfterMs } = behaviour;
    const headers = retryAfterMs === undefined ? {} : { 'retry-after-ms': String(retryAfterMs) };
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ error: { message: `status ${status}`, type: 'error', ...error } }));
    return;
  }
  if ('cut' in behaviour) return void response.destroy();
  if ('hang' in behaviour && behaviour.hang === 'before') return;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if ('raw' in behaviour) return void response.end(behaviour.raw);
  const chunk = (choices: object[], more: object = {}) =>
    response.write(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: `${model}-1`, choices, ...more })}\n\n`,
    );
  if ('call' in behaviour) {
    const { name, arguments: given } = behaviour.call;
    const call = { index: 0, id: 'call-1', type: 'function', function: { name, arguments: JSON.stringify(given) } };
    chunk([{ index: 0, delta: { role: 'assistant', tool_calls: [call] }, finish_reason: null }]);
    chunk([{ index: 0, delta: {}, finish_reason: 'tool_calls' }]);
    chunk([], { usage: { prompt_tokens: 300, completion_tokens: 20, total_tokens: 320 } });
    return void response.end('data: [DONE]\n\n');
  }
  if ('hang' in behaviour) return void chunk([{ index: 0, delta: { content: 'half a' }, finish_reason: null }]);
  const { say, finish = 'stop', refusal = false } = behaviour;
  chunk([{ index: 0, delta: { role: 'assistant', [refusal ? 'refusal' : 'content']: say }, finish_reason: null }]);
  chunk([{ index: 0, delta: {}, finish_reason: finish }]);
  chunk([], { usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } });
  response.end('data: [DONE]\n\n');
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
