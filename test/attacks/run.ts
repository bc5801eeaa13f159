/**
 * Carries out every attack of this folder against the real drivers and prints what came of it: `npm run attacks`.
 * Exits with 1 when one of them did what it must not, when none was carried out, or when an engine call was made that
 * must never be made.
 */
import { parseArgs } from 'node:util';
import { Runtime } from '../../contracts/sandbox.ts';
import { testEngine } from '../setup/docker.ts';
import { openArena } from './harness/arena.ts';
import { families } from './harness/attack.ts';
import { carryOut, plan } from './harness/carry-out.ts';
import { details, table } from './harness/report.ts';
import type { AttackReport } from './harness/run-attack.ts';

const help = `npm run attacks -- [options]

Carries out the attacks of test/attacks against the sandbox drivers of this machine.
Needs a Docker engine (DOCKER_HOST or the usual socket) for all but profile js.

  --family NAME   only this family: ${families.join(', ')}
  --name NAME     only attacks of this name
  --fast          only those that are part of npm test
  --runtime NAME  start containers with runc (the default), crun or runsc (gVisor)
  --json          one JSON document instead of a table
  --help          this text
`;

const { values } = parseArgs({
  options: {
    family: { type: 'string' },
    name: { type: 'string' },
    runtime: { type: 'string', default: 'runc' },
    fast: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(help);
else process.exitCode = await main();

async function main(): Promise<number> {
  const planned = plan({ family: values.family, name: values.name, fastOnly: values.fast });
  if (planned.length === 0) {
    console.error('no attack has this family and name; --help lists the families');
    return 1;
  }
  const runtime = Runtime.safeParse(values.runtime);
  if (!runtime.success) {
    console.error(`there is no runtime "${values.runtime}"; --help lists them`);
    return 1;
  }
  await using arena = await openArena(await testEngine(), runtime.data);
  const reports: AttackReport[] = [];
  for (const one of planned) {
    const report = await carryOut(arena, one);
    reports.push(report);
    if (!values.json && process.stderr.isTTY)
      process.stderr.write(`\r\u001b[K${reports.length}/${planned.length} ${report.family}/${report.name}`);
  }
  const engine = await arena.forbiddenCalls();
  const failed = reports.filter(({ ok }) => !ok).length;
  const skipped = reports.filter(({ skipped: why }) => why !== undefined).length;
  if (values.json) console.log(JSON.stringify({ reports, engine, failed, skipped }, null, 2));
  else {
    console.log(table(reports));
    const more = details(reports);
    if (more !== '') console.log(`\n${more}`);
    console.log(`\n${engine.calls} engine calls, ${engine.problems.length} forbidden`);
    for (const problem of engine.problems) console.log(`  ${problem}`);
    console.log(`${reports.length - failed - skipped} held, ${failed} failed, ${skipped} skipped`);
  }
  return failed > 0 || engine.problems.length > 0 || skipped === reports.length ? 1 : 0;
}
