import { spawn } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));
const hashFile = join(project, 'web/dist/.source-hash');
/** Everything the built pages are made of; a change in any of it makes them stale. */
const sources = ['contracts', 'web/src', 'web/public', 'web/index.html', 'web/vite.config.ts', 'package-lock.json'];

/**
 * Builds the pages into `web/dist` when what they are made of has changed since, or when `force` is set. The hash is
 * written last, so a build that was cut off is done again.
 * @throws with Vite's own words when it cannot build.
 */
export async function buildPages(options: { force?: boolean } = {}): Promise<{ built: boolean }> {
  const hash = await sourceHash();
  if (!options.force && hash === (await storedHash())) return { built: false };
  await runVite();
  await writeFile(hashFile, hash);
  return { built: true };
}

/**
 * Vite in a process of its own with an environment of its own: it takes the caller's NODE_ENV for its own, and pages
 * built under `test` or `development` would carry React's development build.
 */
async function runVite(): Promise<void> {
  const child = spawn(
    process.execPath,
    [join(project, 'node_modules/vite/bin/vite.js'), 'build', '--config', 'web/vite.config.ts', '--logLevel', 'warn'],
    {
      cwd: project,
      env: { NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the pages could not be built:\n${output}`);
}

async function sourceHash(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) await addTo(hash, source);
  return hash.digest('hex');
}

async function addTo(hash: Hash, path: string): Promise<void> {
  const entries = await readdir(join(project, path), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (entries === null) {
    const bytes = await readFile(join(project, path));
    hash.update(`${path}\0${bytes.byteLength}\0`).update(bytes);
    return;
  }
  for (const { name } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!name.includes('.test.')) await addTo(hash, `${path}/${name}`);
  }
}

async function storedHash(): Promise<string | null> {
  return readFile(hashFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}
