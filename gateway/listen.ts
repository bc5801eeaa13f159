import { chmod, lstat, unlink } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { handle } from './handle.ts';
import type { StreamingDoor } from './door.ts';
import type { TargetSpec } from '../contracts/target.ts';

export interface ListenOptions {
  /** Where the socket appears; at most 107 bytes, the room Linux has for it. */
  path: string;
  /** The door of the case that is current when a request arrives; null between cases. */
  door(): StreamingDoor | null;
  targets: readonly TargetSpec[];
}

const longestPathBytes = 107;
/** Each holds at most one request (see `onlyOneEach`); what one submission can open is bounded by it. */
const connections = 128;

/**
 * Serves the OpenAI and Anthropic wires on a unix socket until disposed. The socket is open to everyone who can reach
 * it, because programs run under other users: the caller puts it into a directory that only they reach. Whoever
 * connects is the evaluation that the socket belongs to, so no token is asked for and any that is sent is not read.
 * Throws when the path cannot hold a socket.
 */
export async function listen(options: ListenOptions): Promise<AsyncDisposable> {
  if (Buffer.byteLength(options.path) > longestPathBytes) {
    throw new RangeError(`the socket path is longer than ${longestPathBytes} bytes: ${options.path}`);
  }
  await removeStale(options.path);
  const alone = onlyOneEach();
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 60_000, connectionsCheckingInterval: 5_000, maxHeaderSize: 16_384 },
    (request, response) => {
      if (alone(request.socket, response)) void handle(request, response, options);
      else request.socket.destroy();
    },
  );
  server.maxConnections = connections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.path, resolve);
  });
  await chmod(options.path, 0o666);
  return { [Symbol.asyncDispose]: () => close(server) };
}

/**
 * False for a request that came before the one ahead of it on its connection was answered. Node reads and serves such
 * requests (HTTP pipelining) side by side without any bound, so one connection could fill the worker's memory. The
 * clients of OpenAI and Anthropic never send one.
 */
function onlyOneEach(): (socket: Socket, response: ServerResponse) => boolean {
  const latest = new WeakMap<Socket, ServerResponse>();
  return (socket, response) => {
    const before = latest.get(socket);
    latest.set(socket, response);
    return before === undefined || before.writableEnded;
  };
}

/** A socket left by a worker that died is removed; anything else at the path is somebody's file and stays. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === null) return;
  if (!found.isSocket()) throw new Error(`${path} exists and is not a socket`);
  await unlink(path);
}

/** Ends open responses too: their calls have been aborted or are of no use to a program that is gone. */
async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
