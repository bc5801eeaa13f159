import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { exitCodes, InputError } from './exit-codes.ts';

/** What a child says once it serves; the server adds where, and the token of the local account. */
const Ready = z.object({ kind: z.literal('ready'), url: z.string().optional(), token: z.string().optional() });

export interface Child extends AsyncDisposable {
  ready: z.infer<typeof Ready>;
}

export interface ChildOptions {
  name: string;
  /** Path of its main file inside the project. */
  main: string;
  environment: NodeJS.ProcessEnv;
  logFolder: string;
  /** Called when the child has died too often to be worth restarting. */
  failed: (why: string) => void;
}

const stopWithinMs = 20_000;
/** This many deaths within a minute are a fault, not bad luck. */
const mostRestarts = 5;
const largestLogBytes = 10_000_000;

/**
 * Starts a child and waits until it is ready. If it dies later it is started again; rows hold the truth, so a restart
 * loses nothing.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const deaths: number[] = [];
  let stopping = false;
  let current = await spawnReady(options);
  const watch = (child: ChildProcess) => {
    child.once('exit', (code, signal) => {
      if (stopping) return;
      const now = performance.now();
      deaths.push(now);
      if (deaths.filter((at) => now - at < 60_000).length > mostRestarts) {
        options.failed(`${options.name} ended ${mostRestarts} times within a minute (${signal ?? code}); see ${options.logFolder}`);
        return;
      }
      spawnReady(options).then(
        (next) => {
          current = next;
          if (stopping) void stop(next.process);
          else watch(next.process);
        },
        (error: unknown) => options.failed(error instanceof Error ? error.message : String(error)),
      );
    });
  };
  watch(current.process);
  return {
    ready: current.ready,
    [Symbol.asyncDispose]: async () => {
      stopping = true;
      await stop(current.process);
    },
  };
}

async function spawnReady(options: ChildOptions): Promise<{ process: ChildProcess; ready: z.infer<typeof Ready> }> {
  const logPath = join(options.logFolder, `${options.name}.log`);
  await using log = await openLog(options.logFolder, logPath);
  const child = fork(join(import.meta.dirname, '..', options.main), [], {
    env: options.environment,
    execArgv: [],
    // A group of its own: the terminal's Ctrl-C must not stop it before what depends on it.
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  });
  const ready = await new Promise<z.infer<typeof Ready>>((resolve, reject) => {
    const dead = (code: number | null) =>
      reject(new InputError(`${options.name} ended with code ${code} before it was ready; see ${logPath}`, exitCodes.error));
    child.once('exit', dead);
    child.on('message', (message) => {
      const parsed = Ready.safeParse(message);
      if (!parsed.success) return;
      child.off('exit', dead);
      resolve(parsed.data);
    });
  });
  return { process: child, ready };
}

async function openLog(folder: string, path: string) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > largestLogBytes) await rename(path, `${path}.1`);
  return open(path, 'a', 0o600);
}

/** SIGTERM, and SIGKILL for one that does not end in time. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
  await ended;
  clearTimeout(killer);
}
