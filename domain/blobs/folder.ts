import { hash as digest, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Sha256 } from '../../contracts/ids.ts';
import type { Blobs } from './blobs.ts';

/** Blobs as files; `Blobs` without what a transaction is needed for. */
export type FolderBlobs = Pick<Blobs, 'put' | 'get'>;

const defaultMaxBytes = 64 * 1024 * 1024;

/** Blobs as files `<folder>/ab/cd/<hash>`: two levels keep any one folder small. `maxBytes` bounds one blob. */
export function folderBlobs(folder: string, { maxBytes = defaultMaxBytes }: { maxBytes?: number } = {}): FolderBlobs {
  const fileOf = (hash: string) => path.join(folder, hash.slice(0, 2), hash.slice(2, 4), hash);
  return {
    put: async (bytes) => {
      if (bytes.byteLength > maxBytes) throw new RangeError(`a blob of ${bytes.byteLength} bytes is above the limit of ${maxBytes}`);
      const hash = sha256(bytes);
      const file = fileOf(hash);
      const present = await read(file, bytes.byteLength);
      // Storing what is there but damaged repairs it.
      if (present === null || present === 'too-large' || sha256(present) !== hash) await write(folder, file, bytes);
      return hash;
    },
    get: async (hash) => {
      // A hash may come from a request and becomes a path.
      const bytes = await read(fileOf(Sha256.parse(hash)), maxBytes);
      if (bytes === null) return null;
      if (bytes !== 'too-large' && sha256(bytes) === hash) return bytes;
      throw new Error(`blob ${hash} is damaged: its file no longer has that content. Restore it from a copy.`);
    },
  };
}

/** Lower-case hexadecimal SHA-256 of the bytes. */
export const sha256 = (bytes: Uint8Array): string => digest('sha256', bytes, 'hex');

async function read(file: string, maxBytes: number): Promise<Uint8Array | 'too-large' | null> {
  try {
    if ((await stat(file)).size > maxBytes) return 'too-large';
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Complete or not there: written beside the final name, flushed, renamed, and the folder's own entry flushed. */
async function write(root: string, file: string, bytes: Uint8Array): Promise<void> {
  const folder = path.dirname(file);
  const created = await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = path.join(folder, `.${randomBytes(8).toString('hex')}`);
  try {
    await using handle = await open(draft, 'wx', 0o600);
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await rename(draft, file);
  await flushFolders(folder, created === undefined ? folder : root);
}

/** Flushes `from` and every folder above it up to `to`: folders that were just made are entries of their parents. */
async function flushFolders(from: string, to: string): Promise<void> {
  for (let folder = from; ; folder = path.dirname(folder)) {
    await using handle = await open(folder, 'r');
    await handle.sync();
    if (folder === to || folder === path.dirname(folder)) return;
  }
}
