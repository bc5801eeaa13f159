import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Every check that needs no database: run by `npm run check` and by the continuous-integration script. */
const checks: [string, string[]][] = [
  ['format and lint', ['biome', 'check', '--error-on-warnings', '.']],
  ['types', ['tsc', '--noEmit']],
  ['import directions', ['node', 'scripts/check-imports.ts']],
  ['dead code', ['knip']],
  ['generated documents', ['node', 'scripts/generate.ts', '--check']],
  ['generated database types', ['node', 'scripts/generate-db-types.ts', '--check']],
  ['schema snapshot', ['node', 'scripts/schema-snapshot.ts', '--check']],
  ['docker-compose.yml', ['node', 'scripts/check-compose.ts']],
  ['package-lock.json', ['node', 'scripts/lockfile.ts', '--check']],
  ['size of the pages', ['node', 'web/check-size.ts']],
];

const root = join(import.meta.dirname, '..');
let failed = 0;
for (const [name, [command = '', ...rest]] of checks) {
  const startedAt = performance.now();
  const run = spawnSync(join(root, 'node_modules', '.bin', command), rest, { cwd: root, encoding: 'utf8' });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const ok = run.status === 0;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (!ok) {
    failed++;
    process.stdout.write(run.stdout ?? '');
    process.stderr.write(run.stderr ?? '');
  }
}
process.exitCode = failed === 0 ? 0 : 1;
