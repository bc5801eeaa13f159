import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compiledCode, workerFlags } from '../cli/child.ts';
import type { BenchHome } from './stage-setup.ts';

/** `workers/main.ts` as `collective start` runs it, with the same flags; its stages are its own affair. */
export interface RealWorker extends AsyncDisposable {
  readyMs: number;
  memory(): Promise<{ nowMb: number; highestMb: number }>;
}

export async function startRealWorker(home: BenchHome, stages: string): Promise<RealWorker> {
  const startedAt = performance.now();
  const child = fork(join(import.meta.dirname, '..', 'workers', 'main.ts'), [], {
    execArgv: [...workerFlags],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: compiledCode,
      COLLECTIVE_HOME: home.folder,
      DATABASE_URL: home.databaseUrl,
      WORKER_STAGES: stages,
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await Promise.race([once(child, 'message'), failed(child)]);
  return {
    readyMs: performance.now() - startedAt,
    memory: () => memoryOf(child),
    [Symbol.asyncDispose]: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

async function failed(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null];
  throw new Error(`the worker ended with ${code} before it was ready`);
}

/** What Linux says of the process; nothing inside it has to be changed to be asked. */
async function memoryOf({ pid }: ChildProcess): Promise<{ nowMb: number; highestMb: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const of = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { nowMb: of('VmRSS'), highestMb: of('VmHWM') };
}
