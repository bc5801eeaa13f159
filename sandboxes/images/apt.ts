import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unusedPackages } from './recipe.ts';

const run = promisify(execFile);

export type Unpacked = { ok: true; packages: string[] } | { ok: false; problem: string };

/** Null when this host can resolve and unpack Debian packages, else what is missing. */
export async function aptProblem(): Promise<string | null> {
  for (const tool of ['apt-get', 'dpkg-deb']) {
    const found = await run(tool, ['--version']).then(
      () => true,
      () => false,
    );
    if (!found) {
      return `sandbox images are assembled from Debian packages and this host has no ${tool}: build them on Debian or Ubuntu, or let the worker run there`;
    }
  }
  return null;
}

/**
 * Downloads packages with everything they depend on and unpacks them into `root`. Resolution runs against an empty
 * list of installed packages, so the result does not depend on what the host has. apt checks the signatures; the
 * host's package state is only read, no maintainer script runs, and root is not needed.
 */
export async function unpackPackages(packages: readonly string[], work: string, root: string, signal: AbortSignal): Promise<Unpacked> {
  const archives = join(work, 'archives');
  await mkdir(join(archives, 'partial'), { recursive: true });
  await mkdir(join(work, 'lists', 'partial'), { recursive: true });
  await writeFile(join(work, 'status'), '');
  const options = [
    `Dir::State::status=${join(work, 'status')}`,
    `Dir::Cache::archives=${archives}`,
    `Dir::Cache::pkgcache=${join(work, 'pkgcache.bin')}`,
    `Dir::Cache::srcpkgcache=${join(work, 'srcpkgcache.bin')}`,
    'APT::Install-Recommends=0',
    'APT::Sandbox::User=',
    'Debug::NoLocking=1',
    'Acquire::Retries=3',
  ];
  const apt = (more: readonly string[], command: readonly string[]) =>
    run('apt-get', ['-qq', ...[...options, ...more].flatMap((option) => ['-o', option]), ...command], { signal, maxBuffer: 16_777_216 });
  const install = ['--download-only', '-y', 'install', ...packages];
  try {
    // The host's own package lists come first; where they are missing or stale, fresh ones of our own.
    await apt([], install).catch(async () => {
      const own = [`Dir::State::lists=${join(work, 'lists')}`];
      await apt(own, ['update']);
      await apt(own, install);
    });
  } catch (error) {
    return { ok: false, problem: `apt could not fetch ${packages.join(', ')}: ${(error as Error).message.trim().slice(-600)}` };
  }
  const files = (await readdir(archives)).filter((name) => name.endsWith('.deb')).sort();
  const kept = files.filter((name) => !unusedPackages.has(name.slice(0, name.indexOf('_'))));
  for (const file of kept) await run('dpkg-deb', ['-x', join(archives, file), root], { signal });
  return { ok: true, packages: kept.map((name) => decodeURIComponent(name)) };
}
