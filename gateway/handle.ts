import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ChatFault } from '../contracts/chat.ts';
import { type Json, parseBoundedJson } from '../contracts/json.ts';
import type { TargetSpec } from '../contracts/target.ts';
import type { StreamingDoor } from './door.ts';
import type { ListenOptions } from './listen.ts';
import { fault, targetNamed, unknownTarget, wireBounds } from './policy.ts';
import { anthropicWire } from './wire/anthropic-reply.ts';
import { openaiWire } from './wire/openai-reply.ts';
import type { Wire, WireRequest } from './wire/wire.ts';

/** A client that lets this much of its reply pile up is treated as gone. */
const unreadBytes = 4 * 1024 * 1024;

/** Answers one HTTP request; never rejects. */
export async function handle(request: IncomingMessage, response: ServerResponse, options: ListenOptions): Promise<void> {
  // The case is the one that is current now, not the one when the body has arrived.
  const door = options.door();
  const path = (request.url ?? '/').split('?', 1)[0]!.replace(/^\/v1(?=\/)/, '');
  const wire = path.startsWith('/messages') || request.headers['anthropic-version'] !== undefined ? anthropicWire : openaiWire;
  try {
    const isCall = request.method === 'POST' && (path === '/chat/completions' || path === '/messages');
    if (isCall) await handleCall(request, response, path === '/messages' ? anthropicWire : openaiWire, door);
    else {
      request.resume();
      const found = lookUp(request.method ?? '', path, wire, door?.targets ?? options.targets);
      if (found.ok) send(response, 200, found.body);
      else sendFault(response, wire, found.fault);
    }
  } catch (error) {
    failed(response, wire, error);
  }
}

/** Only a bug comes here (a recorder that throws); the program gets a plain error and the session's owner its cause. */
function failed(response: ServerResponse, wire: Wire, error: unknown): void {
  if (response.headersSent) response.destroy(error instanceof Error ? error : undefined);
  else sendFault(response, wire, fault('transport', 500, 'Internal error of the gateway'));
}

type Lookup = { ok: true; body: Json } | { ok: false; fault: ChatFault };

/** Everything that is not a call to a model. */
function lookUp(method: string, path: string, wire: Wire, targets: readonly TargetSpec[]): Lookup {
  if (path === '/messages/count_tokens') {
    return { ok: false, fault: fault('policy', 404, 'Tokens are not counted ahead here; the usage of each reply tells them') };
  }
  if (method === 'GET' && path === '/models') return { ok: true, body: wire.models(targets) };
  if (method === 'GET' && path.startsWith('/models/')) {
    const name = path.slice('/models/'.length);
    const target = targetNamed(targets, name);
    return target ? { ok: true, body: wire.model(target) } : { ok: false, fault: unknownTarget(name, targets) };
  }
  const there = 'POST /v1/chat/completions, POST /v1/messages and GET /v1/models';
  return { ok: false, fault: fault('policy', 404, `There is no ${method} ${path.slice(0, 100)} here; there are ${there}`) };
}

async function handleCall(request: IncomingMessage, response: ServerResponse, wire: Wire, door: StreamingDoor | null): Promise<void> {
  const body = await readBody(request);
  if (!body.ok) return sendFault(response, wire, body.fault, true);
  const json = parseBoundedJson(body.bytes, wireBounds);
  if (!json.ok) return sendFault(response, wire, fault('policy', 400, `The body ${json.problem}`));
  const wired = wire.parse(json.value);
  if (!wired.ok) return sendFault(response, wire, wired.fault);
  if (!door) return sendFault(response, wire, fault('policy', 409, 'No case is running: models can be asked only while a case runs'));
  const gone = new AbortController();
  const onClose = () => {
    if (!response.writableFinished) gone.abort();
  };
  response.on('close', onClose);
  if (response.destroyed) gone.abort();
  if (wired.parsed.stream) await streamReply(response, wire, door, wired.parsed, gone);
  else await wholeReply(response, wire, door, wired.parsed, gone.signal);
}

async function wholeReply(response: ServerResponse, wire: Wire, door: StreamingDoor, { request }: WireRequest, gone: AbortSignal) {
  const result = await door.stream(request, gone, null);
  if (result.ok) send(response, 200, wire.reply(result.reply));
  else sendFault(response, wire, result.fault);
}

/**
 * The headers wait for the first event: until then a fault still has a status of its own. The provider is never held
 * back by a client that reads slowly, or a stalled client could let the provider's timeout look like its fault.
 */
async function streamReply(response: ServerResponse, wire: Wire, door: StreamingDoor, wired: WireRequest, gone: AbortController) {
  const writer = wire.stream(wired.request.target, randomUUID(), wired.includeUsage);
  const open = () => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  };
  const result = await door.stream(wired.request, gone.signal, (event) => {
    const text = writer.event(event);
    if (text === '' || response.destroyed) return;
    open();
    response.write(text);
    if (response.writableLength > unreadBytes) response.destroy();
  });
  if (result.ok) {
    open();
    response.end(writer.end(result.reply));
  } else if (response.headersSent) response.end(writer.fault(result.fault));
  else sendFault(response, wire, result.fault);
}

type Body = { ok: true; bytes: Uint8Array } | { ok: false; fault: ChatFault };

async function readBody(request: IncomingMessage): Promise<Body> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    return { ok: false, fault: fault('policy', 415, 'Compressed bodies are not accepted') };
  }
  const tooLarge: Body = { ok: false, fault: fault('policy', 413, `The body is larger than ${wireBounds.maxBytes} bytes`) };
  if (Number(request.headers['content-length'] ?? 0) > wireBounds.maxBytes) return tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  const whole = Promise.withResolvers<Body>();
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > wireBounds.maxBytes) whole.resolve(tooLarge);
    else chunks.push(chunk);
  });
  request.on('end', () => whole.resolve({ ok: true, bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) }));
  const wentAway = () => whole.resolve({ ok: false, fault: fault('aborted', 499, 'The client went away') });
  request.on('error', wentAway);
  request.on('close', wentAway);
  return whole.promise;
}

function send(response: ServerResponse, status: number, body: Json, headers: Record<string, string> = {}): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers });
  response.end(text);
}

/** Both SDKs obey `x-should-retry`: what can be retried has been retried here, and nothing else gets better by asking again. */
function sendFault(response: ServerResponse, wire: Wire, cause: ChatFault, closing = false): void {
  send(response, cause.httpStatus, wire.error(cause), {
    'x-should-retry': 'false',
    ...(cause.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(cause.retryAfterMs / 1000)) }),
    ...(closing ? { connection: 'close' } : {}),
  });
}
