import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generatedFiles } from './generated-files.ts';

/**
 * Writes every file that is made from code. `--check` writes nothing, prints the files that are not current and exits
 * with 1 when there are any.
 */
const root = join(import.meta.dirname, '..');
const checkOnly = process.argv.includes('--check');
const stale: string[] = [];

for (const { path, make } of generatedFiles) {
  const text = await make();
  if ((await readIfPresent(join(root, path))) === text) continue;
  stale.push(path);
  if (checkOnly) continue;
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

for (const path of stale) console.log(checkOnly ? `stale: ${path} (run: npm run generate)` : `written: ${path}`);
if (checkOnly && stale.length > 0) process.exitCode = 1;

async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
