import { cpus, loadavg, release } from 'node:os';
import { parseArgs } from 'node:util';
import { benchCases } from './sandbox-cases.ts';
import { benchGateway } from './sandbox-gateway.ts';
import { benchLeak } from './sandbox-leak.ts';
import { benchRate } from './sandbox-rate.ts';
import { type BenchSetup, benchSetup, type Row } from './sandbox-setup.ts';
import { benchStart } from './sandbox-start.ts';

/**
 * The speed claims of the sandbox, each beside a floor that is measured in the same run on the same machine.
 * `node bench/sandbox.ts [--json] [--only start,rate,…] [--leak] [--quick]`; figures and their meaning: bench/README.md.
 */
const { values } = parseArgs({
  options: { json: { type: 'boolean' }, only: { type: 'string' }, leak: { type: 'boolean' }, quick: { type: 'boolean' } },
});
/** How much of everything: `--quick` only shows that it runs. */
const some = (count: number, few: number): number => (values.quick ? few : count);
const parts: Record<string, (setup: BenchSetup) => Promise<Row[]>> = {
  start: (setup) => benchStart(setup, { warm: some(100, 5), cold: some(30, 3) }),
  rate: (setup) => benchRate(setup, { rounds: some(5, 1), each: some(30, 8) }),
  cases: (setup) => benchCases(setup, { rounds: some(30, 2), each: some(100, 30) }),
  gateway: benchGateway,
  verdict: async (setup) => {
    // Only here: database and stages would weigh on the memory that the leak run measures.
    const { benchVerdict } = await import('./sandbox-verdict.ts');
    return await benchVerdict(setup, { warm: some(40, 4), cold: some(30, 3) });
  },
};
const leak = (setup: BenchSetup) => benchLeak(setup, { evaluations: some(2_000, 40) });
await main();

async function main(): Promise<void> {
  const chosen = values.only?.split(',') ?? (values.leak ? [] : Object.keys(parts));
  const unknown = chosen.filter((name) => !(name in parts));
  if (unknown.length > 0) throw new Error(`no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  await using setup = await benchSetup();
  const version = (await setup.docker.version()) as { Version: string };
  const machine = `${cpus().length} cores, kernel ${release()}, Docker Engine ${version.Version}, Node ${process.version}`;
  if (!values.json) console.log(machine);
  const rows: (Row & { met: boolean | null; load: number })[] = [];
  for (const work of [...chosen.map((name) => parts[name]), ...(values.leak ? [leak] : [])]) {
    if (work === undefined) continue;
    const found = (await work(setup)).map((row) => ({ ...row, met: met(row), load: loadavg()[0] ?? 0 }));
    rows.push(...found);
    if (!values.json) print(found);
  }
  if (values.json) console.log(JSON.stringify({ machine, rows }, null, 2));
}

function met({ value, target }: Row): boolean | null {
  if (target === undefined) return null;
  return 'most' in target ? value <= target.most : value >= target.least;
}

function print(rows: readonly (Row & { met: boolean | null; load: number })[]): void {
  console.log(`\n${rows[0]?.part} (load ${rows[0]?.load.toFixed(1)})`);
  for (const { what, value, unit, target, met } of rows) {
    const aim =
      target === undefined ? '' : `${'most' in target ? `at most ${target.most}` : `at least ${target.least}`}: ${met ? 'met' : 'NOT MET'}`;
    const figure = `${value.toFixed(unit === '' ? 0 : value < 10 ? 2 : 1)} ${unit}`;
    console.log(`  ${what.padEnd(64)} ${figure.padStart(12)}   ${aim}`);
  }
}
