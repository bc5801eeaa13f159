import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { scratchDatabase } from './scratch-database.ts';

const root = path.join(import.meta.dirname, '..');
const target = path.join(root, 'domain/db/schema.ts');
const generator = path.join(root, 'node_modules/kysely-codegen/dist/cli/bin.js');
const header = '// Generated from migrations/ by scripts/generate-db-types.ts. Do not edit.\n\n';

/** TypeScript types of every table of ours, from the database at `url`. */
export async function generateDbTypes(url: string): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'collective-types-'));
  try {
    const file = path.join(folder, 'schema.ts');
    const options = ['--dialect', 'postgres', '--url', 'env(DATABASE_URL)', '--exclude-pattern', 'bullmq.*', '--out-file', file];
    const environment = { ...process.env, DATABASE_URL: url };
    await promisify(execFile)(process.execPath, [generator, ...options], { env: environment, cwd: folder });
    const text = await readFile(file, 'utf8');
    // Rows are named through Kysely's helpers; only the whole and `Json` are used elsewhere.
    const inner = text.replace(/^\/\*\*[\s\S]*?\*\/\s*/, '').replace(/^export (?!interface DB |type Json )/gm, '');
    return header + inner;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes domain/db/schema.ts, or with `check` says whether it is current. */
export async function updateDbTypes(url: string, check: boolean): Promise<boolean> {
  const text = await generateDbTypes(url);
  if (check) return (await readFile(target, 'utf8').catch(() => '')) === text;
  await writeFile(target, text);
  return true;
}

if (import.meta.main) {
  await using database = await scratchDatabase();
  if (!(await updateDbTypes(database.url, process.argv.includes('--check')))) {
    console.error('domain/db/schema.ts is not current: run npm run generate');
    process.exitCode = 1;
  }
}
