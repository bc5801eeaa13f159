import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startRealWorker } from './real-worker.ts';
import { writeScratchRubric } from './scratch-rubric.ts';
import { type BenchHome, median } from './stage-setup.ts';

/** How long commands and a worker take to start, medians; the first time, which compiles, is left out. */
const rounds = 7;

export async function printStarts(home: BenchHome): Promise<void> {
  const folder = join(home.folder, 'one-case');
  const submission = join(home.folder, 'answers.json');
  await writeFile(submission, JSON.stringify(await writeScratchRubric(folder, 1)));
  const command = (...args: string[]) => inTurn(() => timed([join(import.meta.dirname, '..', 'cli', 'collective.js'), ...args], home));
  const bare = await inTurn(() => timed(['-e', '0'], home));
  console.log(`start, medians of ${rounds}: Node alone ${bare} ms`);
  console.log(`collective --version: ${await command('--version')} ms`);
  console.log(`collective run, one case, to its end: ${await command('run', folder, '--submission', submission)} ms`);
  const ready = await inTurn(async () => {
    await using worker = await startRealWorker(home, 'evaluate');
    return worker.readyMs;
  });
  console.log(`evaluate worker, process started → ready: ${ready} ms`);
}

async function inTurn(once: () => Promise<number>): Promise<string> {
  const took: number[] = [];
  for (let round = 0; round <= rounds; round++) took.push(await once());
  return median(took.slice(1)).toFixed(0);
}

async function timed(args: string[], home: BenchHome): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, COLLECTIVE_HOME: home.folder },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
  return performance.now() - startedAt;
}
