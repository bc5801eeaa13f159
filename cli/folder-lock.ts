import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes, InputError } from './exit-codes.ts';

/**
 * Makes sure that one home folder is served by one process tree. The lock names the owner by pid and start time; a lock
 * whose owner is gone (kill -9, power loss, reused pid) is taken over.
 */
export async function lockFolder(home: string): Promise<AsyncDisposable> {
  const path = join(home, 'start.lock');
  const mine = `${process.pid} ${startTimeOf(process.pid)}`;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(path, mine, { flag: 'wx', mode: 0o600 });
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = await readFile(path, 'utf8').catch(() => '');
    const [pid, startTime] = owner.split(' ');
    if (pid !== undefined && /^\d+$/.test(pid) && startTimeOf(Number(pid)) === startTime) {
      throw new InputError(
        `${home} is already in use by process ${pid}; stop it first, or set COLLECTIVE_HOME to another folder`,
        exitCodes.error,
      );
    }
    await removeAbandoned(path, owner);
  }
  throw new InputError(`${path} could not be taken; another start is under way`, exitCodes.error);
}

/**
 * Removes the lock that says `owner`, and no other: between reading and removing, another start may have taken over. A
 * rename gives each file to one process only; a lock that turns out to be somebody's is put back.
 */
async function removeAbandoned(path: string, owner: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== owner) await link(aside, path);
  await rm(aside);
}

/** When a process started, in clock ticks since boot; `running` or `gone` where there is no /proc. */
function startTimeOf(pid: number): string {
  try {
    // The name in parentheses may contain spaces and parentheses; field 22 counts from behind the last one.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return fields[19] ?? 'unknown';
  } catch {
    try {
      process.kill(pid, 0);
      return process.platform === 'linux' ? 'gone' : 'running';
    } catch {
      return 'gone';
    }
  }
}
