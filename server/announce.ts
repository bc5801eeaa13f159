import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Leaves the server's address and the account's token in the home folder, where the CLI of the same user finds them.
 * Mode 0600 also when an older file was wider, and complete or not at all: a reader never sees half a token.
 */
export async function announce(home: string, where: { url: string; token: string }): Promise<void> {
  await replace(join(home, 'url'), where.url);
  await replace(join(home, 'token'), where.token);
}

async function replace(file: string, line: string): Promise<void> {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, `${line}\n`, { mode: 0o600, flag: 'wx' });
  await rename(draft, file);
}
