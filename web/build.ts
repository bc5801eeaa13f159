import { spawn } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));
const hashFile = join(project, 'web/dist/.source-hash');
const lockFile = join(project, 'node_modules/.pages-build-lock');
const longestBuildMs = 120_000;
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
  await using _lock = await lockBuild();
  // Somebody else may have built the same while this one waited.
  if (!options.force && hash === (await storedHash())) return { built: false };
  await rm(hashFile, { force: true });
  await runVite();
  await writeFile(hashFile, hash);
  return { built: true };
}

/** One build at a time: two would empty each other's folder. A lock whose process is gone is taken over. */
async function lockBuild(): Promise<AsyncDisposable> {
  const deadline = Date.now() + longestBuildMs;
  for (;;) {
    try {
      await writeFile(lockFile, String(process.pid), { flag: 'wx' });
      return { [Symbol.asyncDispose]: () => rm(lockFile, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (await isAbandoned()) await rm(lockFile, { force: true });
    else if (Date.now() > deadline) throw new Error(`another process builds the pages for too long; remove ${lockFile} if none does`);
    else await setTimeout(50);
  }
}

async function isAbandoned(): Promise<boolean> {
  const owner = Number(await readFile(lockFile, 'utf8').catch(missing));
  // Zero: the file is gone again, or its owner has not written into it yet.
  if (owner === 0) return false;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
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

const storedHash = (): Promise<string | null> => readFile(hashFile, 'utf8').catch(missing);

function missing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
