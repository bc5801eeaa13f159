import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelDoor } from '../../contracts/sandbox.ts';

/** The kernel's bound for the path of a unix socket, without its closing zero. */
const longestSocketPath = 107;
const socketName = 'gateway.sock';

/**
 * A folder of one container, mounted into it read-only and empty; the gateway's socket appears in it when the container
 * gets its evaluation. Whoever reaches a socket is that evaluation, so nobody else may: the worker's own folder above
 * lets only the worker in (0700), this one is traversed from inside the container (0711), where the mount keeps the
 * socket from being removed or replaced. Names are random and short, because socket paths are.
 */
export interface SocketFolder extends AsyncDisposable {
  readonly path: string;
  /** Serves the door here until disposal. Once per folder: a second evaluation never uses the same container. */
  serve(door: ModelDoor): Promise<void>;
}

export async function makeSocketFolder(parent: string): Promise<{ ok: true; folder: SocketFolder } | { ok: false; message: string }> {
  const path = join(parent, randomBytes(4).toString('hex'));
  if (Buffer.byteLength(join(path, socketName)) > longestSocketPath) {
    return { ok: false, message: `the folder for gateway sockets has too long a path (${parent}); set SANDBOX_SOCKETS to a shorter one` };
  }
  try {
    await mkdir(path);
    // Not by mkdir's mode, which the worker's umask changes.
    await chmod(path, 0o711);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const help = 'the worker needs a folder that it may write, with room; see SANDBOX_SOCKETS';
    return { ok: false, message: `a folder for the gateway's socket cannot be made in ${parent} (${code}): ${help}` };
  }
  return { ok: true, folder: new OwnedFolder(path) };
}

class OwnedFolder implements SocketFolder {
  readonly path: string;
  #listening: AsyncDisposable | null = null;

  constructor(path: string) {
    this.path = path;
  }

  async serve(door: ModelDoor): Promise<void> {
    if (this.#listening !== null) throw new Error('this folder serves a door already');
    const socket = join(this.path, socketName);
    this.#listening = await door.listen(socket);
    // The runner inside is root of the container, which is another user than the worker unless that is root too.
    await chmod(socket, 0o666);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#listening?.[Symbol.asyncDispose]();
    } finally {
      await rm(this.path, { recursive: true, force: true });
    }
  }
}
