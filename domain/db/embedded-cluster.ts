import { execFile } from 'node:child_process';
import { chown, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { readIfThere } from '../create-once.ts';
import type { RunAs } from './embedded-account.ts';
import type { Binaries } from './embedded-binaries.ts';

export const clusterUser = 'collective';

/** Nothing of ours leaks into the server, and no PGDATA or PGPORT of the caller's shell confuses it. */
export const cleanEnvironment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

const exec = promisify(execFile);

/**
 * Makes `<place>/data`, a fresh cluster owned by `account`, unless it is there. It is built beside its final name and
 * renamed into it, so a start that is killed half way leaves no half cluster, and of two starts at once one wins.
 */
export async function ensureCluster(binaries: Binaries, place: string, account: RunAs, password: string, durable: boolean): Promise<void> {
  const data = path.join(place, 'data');
  const major = await readIfThere(path.join(data, 'PG_VERSION'));
  if (major !== null) {
    if (major === binaries.major) return;
    throw new Error(
      `The database in ${data} was made by PostgreSQL ${major}, this version brings ${binaries.major}. ` +
        'Start the earlier version, dump it with pg_dump, move the folder away and restore.',
    );
  }
  await removeAbandoned(place);
  const draft = await mkdtemp(path.join(place, `data.new-${process.pid}-`));
  const secret = `${draft}.secret`;
  try {
    await writeFile(secret, password, { mode: 0o600, flag: 'wx' });
    for (const entry of [draft, secret]) await giveTo(entry, account);
    await initialise(binaries, place, draft, secret, account, durable);
    await rename(draft, data);
    await syncFolder(place);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw explain(error, place);
  } finally {
    await rm(secret, { force: true });
  }
}

async function initialise(binaries: Binaries, place: string, draft: string, secret: string, account: RunAs, durable: boolean) {
  const options = ['-U', clusterUser, '-A', 'scram-sha-256', '--encoding=UTF8', '--locale=C', `--pwfile=${secret}`, '-D', draft];
  if (!durable) options.push('--no-sync');
  await exec(binaries.initdb, options, { ...account, cwd: place, env: cleanEnvironment });
}

async function giveTo(entry: string, account: RunAs): Promise<void> {
  if (account.uid !== undefined && account.gid !== undefined) await chown(entry, account.uid, account.gid);
}

/** Makes the rename itself survive a power cut. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

/** Drafts of starts that were killed: their process is gone. */
async function removeAbandoned(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    const pid = /^data\.new-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(path.join(place, name), { recursive: true, force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Turns what a PostgreSQL program said into an error that says what to do. It never holds the password: it is not in argv. */
export function explain(error: unknown, place: string): Error {
  const said = [(error as { stderr?: string }).stderr, (error as Error).message].filter(Boolean).join('\n');
  if (/No space left on device|ENOSPC|EDQUOT|quota exceeded/i.test(said)) {
    return new Error(`The disk that holds ${place} is full; PostgreSQL needs about 100 MB to start. Free some space and start again.`);
  }
  if (/Permission denied|EACCES|EROFS/.test(said)) {
    return new Error(`PostgreSQL may not use ${place}: ${lastLine(said)}. Does the folder belong to another user?`);
  }
  if (/ENOENT|cannot execute|not found/.test(said)) {
    return new Error(
      `The embedded PostgreSQL does not run on this machine (it needs glibc): ${lastLine(said)}. Set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
  return new Error(`PostgreSQL in ${place} did not start: ${lastLine(said)}`);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 500) ?? '';
}

/** What postmaster.pid says about the server of this data folder; null when there is none or it is still being written. */
export async function readPostmaster(data: string): Promise<{ pid: number; port: number; ready: boolean } | null> {
  const text = await readIfThere(path.join(data, 'postmaster.pid'));
  const lines = text?.split('\n') ?? [];
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  if (!Number.isInteger(pid) || pid <= 0 || !Number.isInteger(port) || port <= 0) return null;
  return { pid, port, ready: lines[7]?.trim() === 'ready' };
}

/**
 * After a reboot or in a restarted container the pid of the dead server may belong to another program of the same user;
 * PostgreSQL then believes that it is still running and refuses for ever. Where the system tells us what the process is,
 * a file that names a stranger is removed.
 */
export async function removeStalePidFile(data: string): Promise<void> {
  const named = await readPostmaster(data);
  if (named === null || process.platform !== 'linux') return;
  const program = await readFile(`/proc/${named.pid}/comm`, 'utf8').catch(() => null);
  if (program !== null && program.trim() !== 'postgres') await rm(path.join(data, 'postmaster.pid'), { force: true });
}
