import { randomUUID } from 'node:crypto';
import { chmod, copyFile, glob, lstat, mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { Sha256 } from '../../contracts/ids.ts';
import { prunedPaths } from './recipe.ts';
import { hashTree } from './tree.ts';

/**
 * Theory of operation. An image of a participant holds no Python of ours, and what it holds must never run as our
 * runner. So the runner comes with everything it needs in one read-only folder, mounted at /collective: the loader, the
 * libraries, the interpreter, its library, our files. It is started by naming the loader, because the kernel would take
 * the one of the image.
 *
 * Inside, every path outside /collective belongs to a stranger, and PID 1 is root and holds the nonce. Debian's files
 * follow a few such paths: the loader preloads what /etc/ld.so.preload names, the C library loads what
 * /etc/nsswitch.conf names, `sitecustomize` is a link into /etc, OpenSSL loads what its configuration names. Hence: the
 * paths in loader and C library are overwritten with ones below /collective, where nothing is; no link is copied, only
 * what it leads to within the tree; OpenSSL and what needs it stay out.
 */
export const RunnerRecord = z.object({
  /** SHA-256 over names, modes and contents of all files. */
  sha256: Sha256,
  files: z.number().int(),
});
export type RunnerRecord = z.infer<typeof RunnerRecord>;

const mounted = '/collective';

/** How to start the runner where its folder is mounted at /collective, in whatever image. */
export function runnerStart(): { command: string[]; environment: Record<string, string> } {
  const interpreter = [
    `${mounted}/ld.so`,
    // The image's own list of libraries is not asked.
    '--inhibit-cache',
    '--library-path',
    `${mounted}/lib`,
    `${mounted}/usr/bin/python3`,
  ];
  return {
    command: [...interpreter, '-E', '-s', '-S', '-B', '-X', 'utf8', `${mounted}/opt/collective/runner.py`],
    environment: {
      // Any other locale makes the C library open files of the image: a locale that asks for a converter made it load a
      // library of the image into PID 1 (tried). LC_ALL stands above all its kind; Python's own text is UTF-8 by -X.
      LC_ALL: 'C',
      // Absolute and absent: the zones of the image may be pipes, at which PID 1 would wait.
      TZ: ':/collective/none',
      // The engine adds an image's variables to ours unless ours say otherwise; such images are refused before as well.
      ...Object.fromEntries(
        ['LD_PRELOAD', 'LD_AUDIT', 'LD_LIBRARY_PATH', 'GLIBC_TUNABLES', 'GCONV_PATH', 'LOCPATH'].map((name) => [name, '']),
      ),
    },
  };
}

export const runnerFolderOf = (home: string, archiveSha256: string): string => join(home, 'runner', archiveSha256);

export interface RunnerFolderOptions {
  /** Unpacked and finished root file system of the python image. */
  root: string;
  /** The folder is made at `<home>/runner/<archiveSha256>`. */
  home: string;
  archiveSha256: string;
}

/** Lays out the runner's folder, or does nothing when the same is there already. Gives what `verifyRunnerFolder` needs. */
export async function ensureRunnerFolder({ root, home, archiveSha256 }: RunnerFolderOptions): Promise<RunnerRecord> {
  const folder = runnerFolderOf(home, archiveSha256);
  const beside = join(dirname(folder), `.${archiveSha256}-${randomUUID()}`);
  const aside = `${beside}-damaged`;
  await mkdir(dirname(folder), { recursive: true, mode: 0o711 });
  try {
    await layOut(root, beside);
    const record = await hashTree(beside);
    // Renamed only when complete: nobody ever mounts half a runner. A damaged one is moved out of the way first.
    const found = await verifyRunnerFolder(folder, record);
    if (found === 'changed') await rename(folder, aside);
    if (found !== 'ok') {
      await rename(beside, folder).catch(async (error: NodeJS.ErrnoException) => {
        // Another process may have built the same in the meantime.
        if ((await verifyRunnerFolder(folder, record)) !== 'ok') throw error;
      });
    }
    return record;
  } finally {
    await removeTree(beside);
    await removeTree(aside);
  }
}

/** Whether the folder is there and holds exactly what was laid out; reads all of it. */
export async function verifyRunnerFolder(folder: string, record: RunnerRecord): Promise<'ok' | 'gone' | 'changed'> {
  const there = await lstat(folder).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (!there) return 'gone';
  return (await hashTree(folder)).sha256 === record.sha256 ? 'ok' : 'changed';
}

/** Removes folders of runners that no record names, but for the newest one: a worker that runs may still mount it. */
export async function removeOldRunners(home: string, current: string): Promise<void> {
  const parent = join(home, 'runner');
  const others: { folder: string; madeAt: number }[] = [];
  for (const name of await readdir(parent)) {
    if (/^[0-9a-f]{64}$/.test(name) && name !== current) {
      others.push({ folder: join(parent, name), madeAt: (await stat(join(parent, name))).ctimeMs });
    }
  }
  others.sort((a, b) => b.madeAt - a.madeAt);
  for (const { folder } of others.slice(1)) await removeTree(folder);
}

/** Shared libraries the interpreter and the modules below link to. */
const libraries = /^(libc|libm|libz|libexpat|libffi|libpthread|libdl|libutil|librt|libbz2|liblzma|libgcc_s)\.so\.[\d.]+$/;
/** Modules of Python that need other libraries, or that ask the image's files how to behave. */
const leftOut =
  /^usr\/lib\/python3\.\d+\/(sitecustomize\.py|lib-dynload\/(_ssl|_hashlib|_sqlite3|_curses|_dbm|_gdbm|_tkinter|readline|nis|ossaudiodev|_uuid|_crypt|_codecs_(cn|hk|iso2022|jp|kr|tw))[._])/;

async function layOut(root: string, folder: string): Promise<void> {
  const one = async (pattern: string) => {
    for await (const path of glob(pattern, { cwd: root })) return path;
    throw new Error(`no ${pattern} in the unpacked packages`);
  };
  const version = basename(await one('usr/lib/python3.[0-9]*'));
  await copyTree(root, `usr/lib/${version}`, folder);
  await copyTree(root, 'opt/collective', folder);
  await place(await readFile(await inside(root, `usr/bin/${version}`)), join(folder, 'usr/bin/python3'), 0o555);
  const loader = await one('{usr/,}lib/*-linux-gnu/ld-linux-*.so*');
  await place(confine(await readFile(await inside(root, loader)), loaderPaths), join(folder, 'ld.so'), 0o555);
  for await (const path of glob('{usr/,}lib/*-linux-gnu/*.so.*', { cwd: root })) {
    const name = basename(path);
    if (!libraries.test(name)) continue;
    const bytes = await readFile(await inside(root, path));
    await place(name.startsWith('libc.so') ? confine(bytes, libraryPaths) : bytes, join(folder, 'lib', name), 0o444);
  }
  await closeFolders(folder);
  // One folder serves all containers, and locks on a shared file are a channel between two of them (seen with flock):
  // programs may not come near it. The runner is root, as its owner is.
  await chmod(folder, 0o500);
}

const loaderPaths = ['/etc/ld.so.preload', '/etc/ld.so.cache'];
const libraryPaths = ['/etc/nsswitch.conf'];

/** Overwrites paths in a binary with ones of the same length below /collective that do not exist. */
export function confine(binary: Buffer, paths: readonly string[]): Buffer {
  const bytes = Buffer.from(binary);
  for (const path of paths) {
    const at = bytes.indexOf(`\0${path}\0`) + 1;
    if (at === 0 || bytes.indexOf(`\0${path}\0`, at) !== -1) {
      throw new Error(`this C library is not one whose paths are known (${path}): its release is not supported for images of participants`);
    }
    bytes.write(`${mounted}/`.padEnd(path.length, '-'), at, 'latin1');
  }
  return bytes;
}

async function copyTree(root: string, path: string, folder: string): Promise<void> {
  for (const entry of (await readdir(join(root, path), { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = `${path}/${entry.name}`;
    if (prunedPaths.some((pattern) => pattern.test(inner)) || leftOut.test(inner)) continue;
    if (entry.isDirectory()) await copyTree(root, inner, folder);
    // A link may lead out of the tree, which is: into the image of a stranger.
    else if (entry.isFile()) await copy(join(root, inner), join(folder, inner));
  }
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, 0o444);
}

async function place(bytes: Buffer, to: string, mode: number): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, bytes);
  await chmod(to, mode);
}

/** The file that a path of the root file system leads to; links of a package that leave the root are not followed. */
async function inside(root: string, path: string): Promise<string> {
  const [real, top] = [await realpath(join(root, path)), await realpath(root)];
  if (!real.startsWith(`${top}/`)) throw new Error(`${path} leads out of the unpacked packages`);
  return real;
}

/** Deepest first, so that nothing is missing when a folder becomes unwritable. */
async function closeFolders(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await closeFolders(join(folder, entry.name));
  }
  await chmod(folder, 0o555);
}

/** A folder nobody may write to cannot be emptied by its owner either, unless that is root. */
export async function removeTree(folder: string): Promise<void> {
  try {
    await chmod(folder, 0o755);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  await rm(folder, { recursive: true, force: true });
}
