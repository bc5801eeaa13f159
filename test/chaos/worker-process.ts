import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface WorkerProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Sends a signal; does not wait for what it does. */
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>;
  /** Waits until it has ended by itself; gives its exit code. */
  ended(): Promise<number | null>;
  alive(): boolean;
  /** What it printed, for the message of a failing test. */
  output(): string;
}

const main = join(import.meta.dirname, '..', '..', 'workers', 'main.ts');
const keptOutput = 8_000;

/** A real worker process, as operators run it; ready when this resolves. Ends with the test process whatever happens. */
export async function startWorker(environment: Record<string, string>): Promise<WorkerProcess> {
  const child = fork(main, {
    env: { PATH: process.env.PATH ?? '', LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-keptOutput);
    });
  }
  const exited = once(child, 'exit');
  const alive = () => child.exitCode === null && child.signalCode === null;
  await Promise.race([
    once(child, 'message'),
    exited.then(() => {
      throw new Error(`the worker ended before it was ready:\n${output}`);
    }),
  ]);
  const kill = async () => {
    if (!alive()) return;
    // A stopped process dies of SIGKILL too.
    child.kill('SIGKILL');
    await exited;
  };
  return {
    child,
    signal: (name) => void child.kill(name),
    kill,
    ended: async () => {
      await exited;
      return child.exitCode;
    },
    alive,
    output: () => output,
    [Symbol.asyncDispose]: kill,
  };
}
