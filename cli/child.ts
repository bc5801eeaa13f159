import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { exitCodes, InputError } from './exit-codes.ts';

/** What a child says once it serves; the server adds where, and the token of the local account. */
const Ready = z.object({ kind: z.literal('ready'), url: z.string().optional(), token: z.string().optional() });
type Ready = z.infer<typeof Ready>;

export interface Child extends AsyncDisposable {
  /** Rejects when the child ends before it is ready, with the last words of its log. */
  ready: Promise<Ready>;
}

export interface ChildOptions {
  name: string;
  /** Path of its main file inside the project. */
  main: string;
  environment: NodeJS.ProcessEnv;
  /** Of Node. */
  flags: readonly string[];
  logFolder: string;
  /** Called when the child has died too often to be worth restarting. */
  failed: (why: InputError) => void;
}

/** Where compiled code is kept: see collective.js, which says it to the commands. */
export const compiledCode = join(import.meta.dirname, '..', 'node_modules', '.cache', 'collective');

/**
 * V8 lets each half of its nursery grow to 16 MB, and grading produces much that lives for milliseconds. Figures:
 * bench/README.md.
 */
export const workerFlags: readonly string[] = ['--max-semi-space-size=4'];

const stopWithinMs = 20_000;
/** This many deaths within a minute are a fault, not bad luck. */
const mostDeaths = 5;
const restartAfterMs = 250;
const largestLogBytes = 10_000_000;

/**
 * Starts a child and keeps it alive: if it dies after it was ready it is started again; rows hold the truth, so a
 * restart loses nothing. Disposal stops it, ready or not.
 */
export function keepChild(options: ChildOptions): Child {
  const ready = Promise.withResolvers<Ready>();
  const stopping = new AbortController();
  let current: ChildProcess | null = null;
  const keep = async () => {
    const deaths: number[] = [];
    let environment = options.environment;
    while (!stopping.signal.aborted) {
      const log = await openLog(options.logFolder, options.name);
      current = spawn(options, environment, log.fd);
      await log.close();
      const said = await life(current, (first) => {
        environment = withPort(environment, first);
        ready.resolve(first);
      });
      if (stopping.signal.aborted) return;
      if (!said.ready && deaths.length === 0) throw await endedEarly(options.name, said.end, current.exitCode, log);
      deaths.push(performance.now());
      if (deaths.filter((at) => performance.now() - at < 60_000).length >= mostDeaths) {
        options.failed(new InputError(`${options.name} ended ${mostDeaths} times within a minute (${said.end}); see ${log.path}`, 1));
        return;
      }
      await pause(restartAfterMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const kept = keep().catch((error: unknown) => {
    const why = error instanceof InputError ? error : new InputError(`${options.name}: ${String(error)}`, exitCodes.error);
    ready.reject(why);
    options.failed(why);
  });
  // Whoever waits for it sees the rejection; nobody may be waiting any more when the whole start is being stopped.
  ready.promise.catch(() => undefined);
  return {
    ready: ready.promise,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      if (current !== null) await stop(current);
      await kept;
    },
  };
}

function spawn(options: ChildOptions, environment: NodeJS.ProcessEnv, logFd: number): ChildProcess {
  return fork(join(import.meta.dirname, '..', options.main), [], {
    env: { NODE_COMPILE_CACHE: compiledCode, ...environment },
    execArgv: [...options.flags],
    // A group of its own: the terminal's Ctrl-C must not stop it before what depends on it.
    detached: true,
    stdio: ['ignore', logFd, logFd, 'ipc'],
  });
}

/** Waits for the end of a child; tells when it is ready. */
async function life(child: ChildProcess, onReady: (ready: Ready) => void): Promise<{ ready: boolean; end: string }> {
  let ready = false;
  child.on('message', (message) => {
    const parsed = Ready.safeParse(message);
    if (!parsed.success) return;
    ready = true;
    onReady(parsed.data);
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return { ready, end: signal ?? `code ${code}` };
}

/** A server that comes back must be found where it was: links are out, and any free port would be another one. */
function withPort(environment: NodeJS.ProcessEnv, ready: Ready): NodeJS.ProcessEnv {
  if (ready.url === undefined || environment.PUBLIC_URL) return environment;
  return { ...environment, PORT: new URL(ready.url).port };
}

interface Log {
  fd: number;
  path: string;
  /** Where this run of the child begins. */
  from: number;
  close(): Promise<void>;
}

async function openLog(folder: string, name: string): Promise<Log> {
  const path = join(folder, `${name}.log`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const sizeOf = async () => (await stat(path).catch(() => null))?.size ?? 0;
  if ((await sizeOf()) > largestLogBytes) await rename(path, `${path}.1`);
  const from = await sizeOf();
  const handle = await open(path, 'a', 0o600);
  return { fd: handle.fd, path, from, close: () => handle.close() };
}

/** The child's own words say more than its exit code. A configuration it refuses keeps its exit code. */
async function endedEarly(name: string, end: string, code: number | null, log: Log): Promise<InputError> {
  const words = (await readFile(log.path)).subarray(log.from).subarray(-4_000).toString('utf8').trim().split('\n').slice(-12);
  const exitCode = code === exitCodes.badConfiguration ? code : exitCodes.error;
  return new InputError(`${words.join('\n')}\n${name} ended (${end}) before it was ready; its log is ${log.path}`, exitCode);
}

/** SIGTERM, and SIGKILL for one that does not end in time. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
  await ended;
  clearTimeout(killer);
}
