import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { SandboxOptions } from '../contracts/sandbox.ts';
import { answered, type BenchSetup, median, openSandbox, type Row, rate, runCase } from './sandbox-setup.ts';

/** Cases inside one evaluation, one after another, as the driver runs them; beside the floor of a Node process per case. */
const python = 'def solve(task, target):\n    return 1\n';
const javascript = 'export default async function solve() { return 1; }';
const part = 'cases';

export async function benchCases(setup: BenchSetup, { rounds, each }: { rounds: number; each: number }): Promise<Row[]> {
  await using driver = setup.driver();
  const perSecond = async (source: string, more: Partial<SandboxOptions>, count: number) => {
    await using sandbox = await openSandbox(driver, source, more);
    const one = async () => answered(await runCase(sandbox));
    await rate(Math.ceil(count / 10), 1, one);
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) rates.push(await rate(count, 1, one));
    return median(rates);
  };
  // A process per case is so much slower that fewer of them tell as much.
  const few = Math.ceil(each / 10);
  const spawned: number[] = [];
  for (let round = 0; round < rounds; round++) spawned.push(await rate(few, 1, emptyNode));
  return [
    { part, what: 'Python, a forked process per case', value: await perSecond(python, {}, each), unit: '/s', target: { least: 300 } },
    {
      ...{ part, what: 'Python, one process for all', unit: '/s' as const },
      value: await perSecond(python, { cases: 'shared' }, each),
    },
    {
      ...{ part, what: 'Node, one process for all', unit: '/s' as const, target: { least: 300 } },
      value: await perSecond(javascript, { profile: 'node', cases: 'shared' }, each),
    },
    { part, what: 'Node, a process per case', value: await perSecond(javascript, { profile: 'node' }, few), unit: '/s' },
    { part, what: 'floor: `node -e 0` on the host', value: median(spawned), unit: '/s' },
  ];
}

async function emptyNode(): Promise<void> {
  const [code] = await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore', env: {} }), 'exit');
  if (code !== 0) throw new Error(`node ended with ${code}`);
}
