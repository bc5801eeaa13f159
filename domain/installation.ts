import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { createOnce } from './create-once.ts';

export interface Installation {
  /** 256 bits of this installation alone. Never stored in the database, never logged. */
  key: Buffer;
  /** A key for one purpose: HMAC-SHA256 of `label`, hexadecimal. Knowing one tells nothing about another. */
  sub(label: string): string;
}

const keyBytes = 32;

/**
 * Reads `<folder>/installation.key`, made at the first start (mode 0600). Two processes that start at once get the same
 * key. Throws when others may read the file: then it is no secret any more and somebody must decide what to do.
 */
export async function openInstallation(folder: string): Promise<Installation> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const file = path.join(folder, 'installation.key');
  const key = (await readKey(file)) ?? (await makeKey(file));
  return { key, sub: (label) => createHmac('sha256', key).update(label).digest('hex') };
}

async function makeKey(file: string): Promise<Buffer> {
  await createOnce(file, `${randomBytes(keyBytes).toString('hex')}\n`);
  const key = await readKey(file);
  if (key === null) throw new Error(`${file} vanished while it was being made`);
  return key;
}

async function readKey(file: string): Promise<Buffer | null> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  await using opened = handle;
  // Asked of the open file, not of the path: what is checked is what is read.
  const { mode } = await opened.stat();
  if ((mode & 0o077) !== 0) {
    throw new Error(
      `${file} can be read by other users (mode ${(mode & 0o777).toString(8)}): chmod 600 it, and replace it if it was copied.`,
    );
  }
  const text = (await opened.readFile('utf8')).trim();
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new Error(`${file} is damaged: it must hold ${keyBytes * 2} hexadecimal digits. Restore it from a copy.`);
  return Buffer.from(text, 'hex');
}
