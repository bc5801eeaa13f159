import type { Runtime } from '../contracts/sandbox.ts';
import { engineProblem } from '../sandboxes/docker/engine.ts';
import { answered, type BenchSetup, median, mebibyte, openSandbox, type Row, rate, runCase } from './sandbox-setup.ts';

/**
 * Sustained evaluations of a program that does nothing, beside what the engine allows when it does nothing but create,
 * start and remove containers of the same body. In turns, the same number at once. A pool does not help here: each
 * evaluation costs one container, whenever it is made.
 */
const noop = 'def solve(task, target):\n    return 1\n';
const parallel = 4;
const part = 'rate';

export async function benchRate(setup: BenchSetup, { rounds, each }: { rounds: number; each: number }): Promise<Row[]> {
  const rows: Row[] = [];
  for (const runtime of ['runc', 'crun', 'runsc'] as const) {
    const problem = await whyNot(setup, runtime);
    if (problem === null) rows.push(...(await ofRuntime(setup, runtime, rounds, each)));
    else console.error(`${runtime} is not measured: ${problem}`);
  }
  return rows;
}

async function whyNot(setup: BenchSetup, runtime: Runtime): Promise<string | null> {
  try {
    const container = await setup.create(runtime);
    try {
      await container.start();
    } finally {
      await container.remove({ force: true, v: true });
    }
    return null;
  } catch (error) {
    return engineProblem(error);
  }
}

async function ofRuntime(setup: BenchSetup, runtime: Runtime, rounds: number, each: number): Promise<Row[]> {
  await using driver = setup.driver({ poolBytes: 256 * mebibyte, runtimes: { usual: runtime, byTier: {} } });
  const evaluation = async () => {
    await using sandbox = await openSandbox(driver, noop);
    answered(await runCase(sandbox));
  };
  const container = async () => {
    const created = await setup.create(runtime);
    await created.start();
    await created.remove({ force: true, v: true });
  };
  await rate(parallel * 2, parallel, evaluation);
  const [ours, floor]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    ours.push(await rate(each, parallel, evaluation));
    floor.push(await rate(each, parallel, container));
  }
  const ratio = median(ours.map((one, i) => one / (floor[i] ?? Number.NaN)));
  return [
    { part, what: `${runtime}: evaluations, ${parallel} at once`, value: median(ours), unit: '/s' },
    { part, what: `${runtime}: floor, create and start and remove`, value: median(floor), unit: '/s' },
    { part, what: `${runtime}: beside that floor`, value: ratio, unit: 'x', target: { least: 0.8 } },
  ];
}
