import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, copyFile, glob, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { pack, type Pack } from 'tar-stream';
import { commonFiles, commonFolders, prunedPaths, type Recipe } from './recipe.ts';

const run = promisify(execFile);

/** Adds everything that does not come from packages. `root` already holds the unpacked packages. */
export async function finishRoot(recipe: Recipe, root: string, signal: AbortSignal): Promise<void> {
  for (const folder of commonFolders) await mkdir(join(root, folder), { recursive: true });
  // Releases with a merged /usr ship these as links in a package whose scripts do not run here.
  for (const name of ['bin', 'lib', 'lib64']) {
    if ((await exists(join(root, 'usr', name))) && !(await exists(join(root, name)))) await symlink(`usr/${name}`, join(root, name));
  }
  await symlink('work', join(root, 'tmp'));
  for (const [from, path] of recipe.files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(from, join(root, path));
  }
  if (recipe.compilePython) await compilePython(root, signal);
}

/**
 * Compiles the standard library with the image's own interpreter, started through the image's own loader: the host's
 * Python may be another version or absent. `unchecked-hash` makes the result independent of file times. `-B` and `-f`:
 * what the compiler itself imports would otherwise be compiled on the way, with times and this folder's path inside.
 */
async function compilePython(root: string, signal: AbortSignal): Promise<void> {
  const find = async (pattern: string) => {
    for await (const path of glob(pattern, { cwd: root })) return join(root, path);
    throw new Error(`no ${pattern} in the unpacked packages`);
  };
  const loader = await find('{usr/,}lib/*-linux-gnu/ld-linux-*.so*');
  const interpreter = await find('usr/bin/python3.[0-9]*');
  const library = await find('usr/lib/python3.[0-9]*');
  const folders: string[] = [];
  for await (const path of glob('{usr/,}lib/*-linux-gnu', { cwd: root })) folders.push(join(root, path));
  const compile = ['-B', '-m', 'compileall', '-f', '-q', '-s', root, '-p', '/', '--invalidation-mode', 'unchecked-hash'];
  const skip = ['-x', '/(test|idlelib|tkinter|turtledemo|lib2to3|ensurepip|distutils)/'];
  await run(
    loader,
    ['--library-path', folders.join(':'), interpreter, '-s', '-S', ...compile, ...skip, library, join(root, 'opt/collective')],
    {
      signal,
      env: { PYTHONHOME: join(root, 'usr'), PYTHONHASHSEED: '0', LANG: 'C.UTF-8' },
      maxBuffer: 16_777_216,
    },
  );
}

/**
 * Writes the root file system as a normalised archive: sorted names, no times, no owners but root, no special files,
 * no set-user-id bits. The same content gives the same bytes, so its SHA-256 names the content.
 */
export async function writeArchive(recipe: Recipe, root: string, file: string): Promise<string> {
  const modes = new Map(recipe.files.map(([, path, mode]) => [path, mode]));
  const archive = pack();
  const hash = createHash('sha256');
  const written = pipeline(
    Readable.from(archive),
    async function* (parts: AsyncIterable<Buffer>) {
      for await (const part of parts) {
        hash.update(part);
        yield part;
      }
    },
    createWriteStream(file),
  );
  await addFolder(archive, root, '', modes);
  for (const [name, text] of Object.entries(commonFiles)) await addEntry(archive, { name, mode: 0o444 }, text);
  archive.finalize();
  await written;
  return hash.digest('hex');
}

async function addFolder(archive: Pack, root: string, folder: string, modes: ReadonlyMap<string, number>): Promise<void> {
  for (const name of (await readdir(join(root, folder))).sort()) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (prunedPaths.some((pattern) => pattern.test(path))) continue;
    const stats = await lstat(join(root, path));
    if (stats.isSymbolicLink()) {
      await addEntry(archive, { name: path, type: 'symlink', linkname: await readlink(join(root, path)), mode: 0o777 });
    } else if (stats.isDirectory()) {
      await addEntry(archive, { name: `${path}/`, type: 'directory', mode: 0o755 });
      await addFolder(archive, root, path, modes);
    } else if (stats.isFile()) {
      const mode = modes.get(path) ?? ((stats.mode & 0o111) === 0 ? 0o444 : 0o555);
      await addFile(archive, { name: path, mode, size: stats.size }, join(root, path));
    }
  }
}

type Header = Parameters<Pack['entry']>[0];
const plain = { mtime: new Date(0), uid: 0, gid: 0, uname: '', gname: '' };

const addEntry = (archive: Pack, header: Header, text = ''): Promise<void> =>
  new Promise((resolve, reject) => {
    archive.entry({ ...plain, ...header }, text, (error) => (error ? reject(error) : resolve()));
  });

async function addFile(archive: Pack, header: Header, from: string): Promise<void> {
  const entry = archive.entry({ ...plain, ...header });
  await pipeline(createReadStream(from), entry);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
