import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { DockerDriver } from '../sandboxes/docker/driver.ts';
import { answered, type BenchSetup, median, mebibyte, openSandbox, quantile, type Row, runCase, timed } from './sandbox-setup.ts';

/**
 * From a job that is ready to the participant's first instruction. The program's first line reads CLOCK_MONOTONIC, which
 * a container shares with its host; the worker reads it when the job is ready. Beside it, in turns: what the engine
 * alone needs to create and start a container of the same body, and plain `docker run` of the same image.
 */
const source = 'import time\nfirst = time.monotonic_ns()\ndef solve(task, target):\n    return str(first)\n';
/** Jobs arrive so far apart that the pool is full again: about half of what two cores sustain. */
const arrivalMs = 300;
const part = 'start';

const now = () => process.hrtime.bigint();
const msBetween = (from: bigint, to: bigint): number => Number(to - from) / 1e6;

async function firstInstruction(driver: DockerDriver): Promise<number> {
  const ready = now();
  await using sandbox = await openSandbox(driver, source);
  return msBetween(ready, BigInt(String(answered(await runCase(sandbox)))));
}

export async function benchStart(setup: BenchSetup, { warm, cold }: { warm: number; cold: number }): Promise<Row[]> {
  const pooled = await warmTimes(setup, warm);
  const own: number[] = [];
  const engines: number[] = [];
  const runs: { total: number; first: number }[] = [];
  await using driver = setup.driver({ poolBytes: 0 });
  await firstInstruction(driver);
  for (let i = 0; i < cold; i++) {
    own.push(await firstInstruction(driver));
    engines.push(await createAndStart(setup));
    runs.push(await dockerRun(setup));
  }
  const engine = median(engines);
  return [
    { part, what: 'warm pool, p50', value: median(pooled), unit: 'ms', target: { most: 10 } },
    { part, what: 'warm pool, p99', value: quantile(pooled, 0.99), unit: 'ms', target: { most: 60 } },
    { part, what: 'cold, p50', value: median(own), unit: 'ms' },
    { part, what: "floor: engine's own create and start, p50", value: engine, unit: 'ms' },
    { part, what: 'cold beside that floor', value: median(own) / engine, unit: 'x', target: { most: 1.2 } },
    { part, what: 'plain docker run: first instruction, p50', value: median(runs.map(({ first }) => first)), unit: 'ms' },
    { part, what: 'plain docker run: until it has returned, p50', value: median(runs.map(({ total }) => total)), unit: 'ms' },
  ];
}

async function warmTimes(setup: BenchSetup, count: number): Promise<number[]> {
  await using driver = setup.driver({ poolBytes: 256 * mebibyte });
  const times: number[] = [];
  // The first few find no container waiting and are what fills the pool.
  for (let i = -4; i < count; i++) {
    const [ms] = await Promise.all([firstInstruction(driver), pause(arrivalMs)]);
    if (i >= 0) times.push(ms);
  }
  return times;
}

async function createAndStart(setup: BenchSetup): Promise<number> {
  let container: Awaited<ReturnType<BenchSetup['create']>> | undefined;
  const ms = await timed(async () => {
    container = await setup.create();
    await container.start();
  });
  await container?.remove({ force: true, v: true });
  return ms;
}

async function dockerRun({ dockerHost, images }: BenchSetup): Promise<{ total: number; first: number }> {
  const start = now();
  const program = ['--entrypoint', '/usr/bin/python3', images.python, '-E', '-S', '-c', 'import time; print(time.monotonic_ns())'];
  const { stdout } = await promisify(execFile)('docker', ['-H', dockerHost, 'run', '--rm', '--network', 'none', ...program]);
  return { total: msBetween(start, now()), first: msBetween(start, BigInt(stdout.trim())) };
}
