import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';

/**
 * Theory of operation. Two workers share an engine, one dies: the other must clear what it left, and must never touch
 * what belongs to the living. Process ids say nothing across containers and clocks lie, so a worker shows that it lives
 * by answering on a unix socket in a folder of its own below the folder for sockets. The kernel closes the socket with
 * the process, whatever ends it. The folder's path is a label of every container, so whoever has the same folder for
 * sockets can ask; who has another one cannot, and leaves running containers alone until their deadline.
 */
const socketName = 'alive';
/** The kernel's bound for the path of a unix socket, without its closing zero. */
const longestSocketPath = 107;
/** What a container's own folder and the gateway's name take more than ours. */
const roomBelow = 16;

/** The folder of one worker: `<socketFolder>/<eight digits>`, short because socket paths are. */
export const placeOf = (socketFolder: string, workerId: string): string =>
  join(socketFolder, createHash('sha256').update(workerId).digest('hex').slice(0, 8));

/** Shown by this process, counted: several drivers of one process may speak for one worker. */
const shown = new Map<string, { users: number; server: Promise<Server> }>();

/** Makes the worker's folder and shows that it lives until disposed. Rejects when the folder cannot be written. */
export async function showPresence(socketFolder: string, workerId: string): Promise<AsyncDisposable & { place: string }> {
  const place = placeOf(socketFolder, workerId);
  const entry = shown.get(place) ?? { users: 0, server: answerAt(socketFolder, place) };
  entry.users += 1;
  shown.set(place, entry);
  try {
    await entry.server;
  } catch (error) {
    if (--entry.users === 0) shown.delete(place);
    throw error;
  }
  const leave = async () => {
    if (--entry.users > 0) return;
    shown.delete(place);
    const server = await entry.server;
    await new Promise((resolve) => server.close(resolve));
    await rm(place, { recursive: true, force: true });
  };
  return { place, [Symbol.asyncDispose]: leave };
}

async function answerAt(socketFolder: string, place: string): Promise<Server> {
  // Under a name that nobody takes for a worker's until the socket answers: in between it would look dead, and be removed.
  const making = `${place}.new`;
  const path = join(making, socketName);
  if (Buffer.byteLength(path) > longestSocketPath - roomBelow) {
    throw new Error(`the folder for gateway sockets has too long a path (${socketFolder}); set SANDBOX_SOCKETS to a shorter one`);
  }
  try {
    await mkdir(socketFolder, { recursive: true, mode: 0o700 });
    await chmod(socketFolder, 0o700);
    // Not recursively: on a file system that is read-only that says ENOENT.
    await rm(making, { recursive: true, force: true });
    await mkdir(making);
    await chmod(making, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(
      `the folder for gateway sockets ${socketFolder} cannot be used (${code}): the worker needs one that it may write; see SANDBOX_SOCKETS`,
    );
  }
  const server = createServer((socket) => socket.destroy());
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(path, listening.resolve);
  await listening.promise;
  server.unref();
  // What an earlier process of this worker left; its containers are cleared by their labels.
  await rm(place, { recursive: true, force: true });
  await rename(making, place);
  return server;
}

/** Does the worker with this folder live? Only a refused or absent socket is a no; anything else is not known to be dead. */
export function lives(place: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path: join(place, socketName) });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

/** Folders of workers that have died, in this folder for sockets. */
export async function deadPlaces(socketFolder: string): Promise<string[]> {
  const dead: string[] = [];
  for (const name of await readdir(socketFolder)) {
    if (!/^[0-9a-f]{8}$/.test(name)) continue;
    const place = join(socketFolder, name);
    if (!(await lives(place))) dead.push(place);
  }
  return dead;
}
