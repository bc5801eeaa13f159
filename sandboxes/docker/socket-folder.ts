import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelDoor } from '../../contracts/sandbox.ts';

/** The kernel's bound for the path of a unix socket, without its closing zero. */
const longestSocketPath = 107;

export type OpenedDoor = { ok: true; folder: string; door: AsyncDisposable } | { ok: false; message: string };

/**
 * Serves a door on a socket in a folder of its own, ready to be mounted into a container. Whoever reaches a socket is
 * that evaluation, so nobody else may: the parent lets only the worker in (0700), the folder itself is traversed from
 * inside the container (0711), where it is mounted read-only, so the socket can neither be removed nor replaced.
 * The name is random and short, because socket paths are.
 */
export async function openDoor(door: ModelDoor, parent: string): Promise<OpenedDoor> {
  const folder = join(parent, randomBytes(8).toString('hex'));
  const path = join(folder, 'gateway.sock');
  if (Buffer.byteLength(path) > longestSocketPath) {
    return { ok: false, message: `the folder for gateway sockets has too long a path (${parent}); set SANDBOX_SOCKETS to a shorter one` };
  }
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await chmod(parent, 0o700);
  await mkdir(folder);
  await chmod(folder, 0o711);
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const listening = await door.listen(path);
    // The runner inside is root of the container, which is another user than the worker unless that is root too.
    await chmod(path, 0o666);
    const close = async () => {
      try {
        await listening[Symbol.asyncDispose]();
      } finally {
        await remove();
      }
    };
    return { ok: true, folder, door: { [Symbol.asyncDispose]: close } };
  } catch (error) {
    await remove();
    throw error;
  }
}
