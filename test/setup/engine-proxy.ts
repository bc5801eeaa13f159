import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex, type Readable, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type EngineCall, type EngineFault, Gate } from './engine-faults.ts';

export type { EngineCall, EngineFault };

/**
 * Theory of operation. A Docker engine fails in ways that no mock shows: it accepts and says nothing, does what it was
 * asked and never answers, dies with streams open. So the tests put this between driver and engine: a unix socket that
 * passes every call to the real engine, keeps a record of it, and fails where and how it is told to. Hijacked calls
 * (attach) are passed as raw bytes in both directions. A fault is looked up for every call and again for every piece of
 * an open stream, so that it holds from the moment it is set until `heal`.
 */
export interface EngineProxy extends AsyncDisposable {
  /** For `dockerHost`: `unix:///…`. */
  host: string;
  /** Everything that was asked so far. */
  calls(): readonly EngineCall[];
  /** From now on, for calls that match, whatever was set before; also for streams that are open. */
  fault(match: (call: EngineCall) => boolean, how: EngineFault): void;
  /** The engine dies: every connection is cut, new ones find nobody. What runs in the engine goes on running. */
  die(): Promise<void>;
  /** Takes back every fault; a dead engine answers again. */
  heal(): Promise<void>;
}

const mostBodyBytes = 4_194_304;

/** @param options.engineHost `unix:///path` or `tcp://host:port` of the real engine */
export async function startEngineProxy({ engineHost }: { engineHost: string }): Promise<EngineProxy> {
  const engine = addressOf(engineHost);
  const folder = await mkdtemp(join(tmpdir(), 'engine-proxy-'));
  const path = join(folder, 'engine.sock');
  const calls: EngineCall[] = [];
  const gate = new Gate();
  const sockets = new Set<Socket>();
  const begin = (message: IncomingMessage, hijacked: boolean): EngineCall => {
    const [route = '', query = ''] = (message.url ?? '').split('?', 2);
    const call = { number: calls.length, method: message.method ?? '', path: route, query, hijacked };
    if (isCreate(call)) call.query = '';
    calls.push(call);
    return call;
  };
  // The client repeats the body of a create call in its query, system call filter and all.
  const server = createServer({ requestTimeout: 0, maxHeaderSize: mostBodyBytes }, (message, response) => {
    relay({ engine, gate, call: begin(message, false), message, response }).catch(() => response.destroy());
  });
  server.on('upgrade', (message: IncomingMessage, client: Duplex, head: Buffer) => {
    relayRaw({ engine, gate, call: begin(message, true), message, client, head }).catch(() => client.destroy());
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client that goes away in the middle is a matter between it and the engine.
    socket.on('error', () => socket.destroy());
  });
  const listen = () => new Promise<void>((resolve) => server.listen(path, resolve));
  const die = async () => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    gate.forget();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen();
  return {
    host: `unix://${path}`,
    calls: () => calls,
    fault: (match, how) => gate.set(match, how),
    die,
    heal: async () => {
      gate.clear();
      if (!server.listening) await listen();
    },
    [Symbol.asyncDispose]: async () => {
      await die();
      gate.forget();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function addressOf(engineHost: string): NetConnectOpts & { allowHalfOpen: boolean } {
  const url = new URL(engineHost);
  // Half open: a caller that has said everything may still listen.
  if (url.protocol === 'unix:') return { path: decodeURIComponent(url.pathname), allowHalfOpen: true };
  return { host: url.hostname, port: Number(url.port || 2375), allowHalfOpen: true };
}

interface Passing {
  engine: NetConnectOpts & { allowHalfOpen: boolean };
  gate: Gate;
  call: EngineCall;
  message: IncomingMessage;
}

const isCreate = ({ method, path }: EngineCall): boolean => method === 'POST' && path.endsWith('/containers/create');

/** An ordinary call: one request, one answer, which may be a stream. */
async function relay({ engine, gate, call, message, response }: Passing & { response: ServerResponse }): Promise<void> {
  using _cut = cutting(gate, call, () => response.destroy());
  const body = isCreate(call) ? await bodyOf(message) : null;
  if (body !== null) call.body = JSON.parse(body.toString('utf8'));
  const how = await gate.open(call, 'question');
  if (how?.kind === 'refuse') return void response.destroy();
  if (how?.kind === 'status') {
    response.writeHead(how.status, { 'content-type': 'application/json' }).end(faultBody(how));
    return;
  }
  if (how?.kind === 'delay') await pause(how.ms);
  const target = 'path' in engine ? { socketPath: engine.path } : { host: engine.host, port: engine.port };
  const { promise: answered, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asked = httpRequest(
    { ...target, agent: false, method: call.method, path: message.url, headers: forwardable(message.headers) },
    resolve,
  );
  asked.on('error', reject);
  // Who hangs up here hangs up there; the real engine would notice too.
  response.on('close', () => asked.destroy());
  if (body !== null) asked.end(body);
  else message.pipe(asked);
  const answer = await answered;
  await gate.open(call, 'answer');
  response.writeHead(answer.statusCode ?? 500, forwardable(answer.headers));
  response.flushHeaders();
  await pipeline(answer, valve(gate, call, 'answer'), response);
}

/** A hijacked call: its head, then bytes in both directions until either side has closed. */
async function relayRaw({ engine, gate, call, message, client, head }: Passing & { client: Duplex; head: Buffer }): Promise<void> {
  using _cut = cutting(gate, call, () => client.destroy());
  const how = await gate.open(call, 'question');
  if (how?.kind === 'refuse') return void client.destroy();
  if (how?.kind === 'status') {
    const said = faultBody(how);
    client.end(
      `HTTP/1.1 ${how.status} Fault\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(said)}\r\n\r\n${said}`,
    );
    return;
  }
  if (how?.kind === 'delay') await pause(how.ms);
  const upstream = connect(engine);
  const body = await bytesOf(client, head, Number(message.headers['content-length'] ?? 0));
  const names = message.rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${message.rawHeaders[i + 1]}\r\n`] : []));
  // In one piece: the engine forgets a body that it got with the head, and takes one that comes later for input.
  upstream.write(Buffer.concat([Buffer.from(`${message.method} ${message.url} HTTP/1.1\r\n${names.join('')}\r\n`), body]));
  const ways = [flow(client, valve(gate, call, 'question'), upstream), flow(upstream, valve(gate, call, 'answer'), client)];
  try {
    await Promise.all(ways);
  } finally {
    upstream.destroy();
    client.destroy();
  }
}

/** The bytes that came already, and more until there are `least`. */
async function bytesOf(client: Duplex, came: Buffer, least: number): Promise<Buffer> {
  let all = came;
  while (all.length < least) {
    const chunk = client.read() as Buffer | null;
    if (chunk !== null) all = Buffer.concat([all, chunk]);
    else if (client.readableEnded || client.destroyed) throw new Error('the caller left');
    else await once(client, 'readable');
  }
  return all;
}

/** One direction; its end is passed on, its breaking breaks both. */
async function flow(from: Readable, through: Transform, to: Writable): Promise<void> {
  const ended = Promise.withResolvers<void>();
  for (const stream of [from, through, to]) stream.on('error', ended.reject);
  from.on('close', () => from.readableEnded || ended.reject(new Error('closed')));
  to.on('close', () => ended.reject(new Error('closed')));
  to.on('finish', ended.resolve);
  from.pipe(through).pipe(to);
  await ended.promise;
}

/** Lets bytes of a call through while its fault allows. */
function valve(gate: Gate, call: EngineCall, part: 'question' | 'answer'): Transform {
  let bytes = 0;
  const pass = async (chunk: Buffer): Promise<Buffer> => {
    const how = await gate.open(call, part);
    if (how?.kind === 'refuse') throw new Error('cut');
    bytes += chunk.length;
    if (part === 'answer' && how?.kind === 'drop' && bytes > how.afterBytes) throw new Error('dropped');
    return chunk;
  };
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      pass(chunk).then((passed) => done(null, passed), done);
    },
  });
}

function cutting(gate: Gate, call: EngineCall, destroy: () => void): Disposable {
  const cut = () => {
    if (gate.of(call)?.kind === 'refuse') destroy();
  };
  gate.cuts.add(cut);
  return { [Symbol.dispose]: () => gate.cuts.delete(cut) };
}

const faultBody = ({ status, message }: { status: number; message?: string }): string =>
  JSON.stringify({ message: message ?? `the engine was told to answer ${status}` });

/** Headers that belong to one connection stay on it. */
function forwardable(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const { connection: _connection, 'keep-alive': _keepAlive, 'transfer-encoding': _encoding, ...rest } = headers;
  return rest;
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of message) {
    bytes += (part as Buffer).length;
    if (bytes > mostBodyBytes) throw new Error(`the body of a create call has more than ${mostBodyBytes} bytes`);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}
