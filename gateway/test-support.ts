import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Exchange } from '../contracts/chat.ts';
import type { Json } from '../contracts/json.ts';
import { type Budget, TargetSpec } from '../contracts/target.ts';
import { wholeBudget } from './allotment.ts';
import { createGateway, type GatewayOptions } from './gateway.ts';
import type { MeteredSession } from './open-session.ts';
import type { PaceTools } from './pace.ts';
import { anthropicProvider } from './providers/anthropic.ts';
import { openaiProvider } from './providers/openai.ts';
import type { Provider, Providers } from './providers/provider.ts';
import { replayProvider } from './providers/replay.ts';
import { simulatedProvider } from './providers/simulated.ts';
import type { SimulatedModel } from './providers/simulated/model.ts';
import type { CaseRef, SessionOptions, SimulatedWorld } from './session.ts';

export const roomy: Budget = { calls: 1000, inputTokens: 10_000_000, outputTokens: 1_000_000, costMicros: 1_000_000_000 };
export const price = { inputMicrosPerMillion: 1_000_000, outputMicrosPerMillion: 2_000_000 };
export const refOf = (caseId: string): CaseRef => ({ caseId, split: 'public', trial: 0 });
export const worldOf = (files: Record<string, string> = {}): SimulatedWorld => ({
  cases: [],
  secretsOf: () => ({}),
  seed: '0'.repeat(64),
  text: (path) => {
    const text = files[path];
    if (text === undefined) throw new Error(`no file ${path}`);
    return text;
  },
});

/** Repeats the last message of the user, with the case it was asked for. */
export const echo: SimulatedModel = (request, { ref }) => ({ text: `${ref.caseId}: ${request.messages.at(-1)?.content ?? ''}` });

export const echoTarget = TargetSpec.parse({ name: 'echo', provider: 'simulated', model: 'echo' });
export const openaiTarget = TargetSpec.parse({ name: 'subject', provider: 'openai', model: 'gpt-test', price, maxOutputTokens: 100 });
export const anthropicTarget = TargetSpec.parse({
  name: 'subject',
  provider: 'anthropic',
  model: 'claude-test',
  price,
  maxOutputTokens: 100,
});

export interface Opened extends AsyncDisposable {
  session: MeteredSession;
  recorded: { ref: CaseRef; exchange: Exchange }[];
  delays: number[];
  stop: AbortController;
}

/** A session over real providers that point at `baseUrl`; retries wait for nothing and are written down. */
export async function openTest(
  options: Partial<SessionOptions> & {
    baseUrl?: string;
    providers?: Partial<Record<keyof Providers, Provider>>;
    gateway?: GatewayOptions;
  } = {},
): Promise<Opened> {
  const { baseUrl, providers, gateway, ...session } = options;
  const recorded: Opened['recorded'] = [];
  const delays: number[] = [];
  const stop = new AbortController();
  const all: Providers = {
    simulated: simulatedProvider({ echo }),
    replay: replayProvider(),
    openai: openaiProvider({ apiKey: 'sk-test-key-that-must-not-leak', baseUrl: `${baseUrl}/v1`, timeoutMs: 300 }),
    anthropic: anthropicProvider({ apiKey: 'sk-test-key-that-must-not-leak', baseUrl, timeoutMs: 300 }),
    ...providers,
  };
  const delay = async (ms: number) => {
    delays.push(ms);
  };
  const opened = await createGateway(all, { pace: unhurried(), ...gateway, retry: { delay, random: () => 1, ...gateway?.retry } }).open({
    targets: [echoTarget],
    budget: roomy,
    allotment: wholeBudget(session.budget ?? roomy),
    world: worldOf(),
    signal: stop.signal,
    judges: [],
    judging: { budget: roomy, allotment: wholeBudget(session.judging?.budget ?? roomy), replies: null },
    record: (ref, exchange) => recorded.push({ ref, exchange }),
    ...session,
  });
  if (!opened.ok) throw new Error(opened.message);
  return { session: opened.session, recorded, delays, stop, [Symbol.asyncDispose]: () => opened.session[Symbol.asyncDispose]() };
}

/** A pace whose pauses pass at once: its clock jumps to the end of every pause that somebody waits for. */
export function unhurried(): Partial<PaceTools> {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    later: (ms, wake) => {
      const immediate = setImmediate(() => {
        nowMs += ms;
        wake();
      });
      return { cancel: () => clearImmediate(immediate) };
    },
  };
}

/** A fresh directory for sockets. */
export async function socketFolder(): Promise<{ path(name: string): string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-'));
  return { path: (name) => join(folder, name), [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

/** What the forwarder inside a sandbox does: 127.0.0.1 to the unix socket. */
export async function forward(path: string): Promise<{ url: string } & AsyncDisposable> {
  const open = new Set<Socket>();
  const server = createTcpServer((client) => {
    const upstream = connect(path);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    for (const socket of open) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: close };
}

export interface Seen {
  path: string;
  headers: IncomingMessage['headers'];
  body: Record<string, Json>;
}

/** A model provider on the loopback: `answer` writes the response to each request, told its number from 0. */
export async function loopback(
  answer: (response: ServerResponse, seen: Seen, number: number) => void,
): Promise<{ url: string; seen: Seen[] } & AsyncDisposable> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) };
      seen.push(one);
      answer(response, one, seen.length - 1);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, [Symbol.asyncDispose]: close };
}

export function sendEvents(response: ServerResponse, events: string[], end = true): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) response.write(event);
  if (end) response.end();
}

export const sendJson = (response: ServerResponse, status: number, body: Json | string, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

/** Chunks of an OpenAI stream. */
export function openaiEvents(texts: string[], finish = 'stop', usage: Json = { prompt_tokens: 7, completion_tokens: 3 }): string[] {
  const chunk = (choices: Json, more: Record<string, Json> = {}) =>
    `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', model: 'gpt-test-2026', system_fingerprint: 'fp_1', choices, ...more })}\n\n`;
  return [
    ...texts.map((content) => chunk([{ index: 0, delta: { content }, finish_reason: null }])),
    chunk([{ index: 0, delta: {}, finish_reason: finish }]),
    ...(usage === null ? [] : [chunk([], { usage })]),
    'data: [DONE]\n\n',
  ];
}

/** Events of an Anthropic stream. */
export function anthropicEvents(texts: string[], stop = 'end_turn', usage: Json = { input_tokens: 7, output_tokens: 3 }): string[] {
  const event = (type: string, more: Record<string, Json>) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  return [
    event('message_start', { message: { id: 'm', model: 'claude-test-2026', content: [], ...(usage === null ? {} : { usage }) } }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...texts.map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: stop }, ...(usage === null ? {} : { usage }) }),
    event('message_stop', {}),
  ];
}

/** Resolves when `condition` holds; fails after a deadline instead of waiting for ever. */
export async function until(condition: () => boolean, deadlineMs = 5_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error('the condition did not come to hold');
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
