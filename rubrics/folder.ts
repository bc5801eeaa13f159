import { constants } from 'node:fs';
import { lstat, open, opendir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { RubricPath } from '../contracts/rubric.ts';
import type { RubricProblem } from './rubric.ts';

/** Bounds of a rubric's folder. */
export const folderBounds = { files: 200, totalBytes: 20_971_520, fileBytes: 8_388_608, depth: 5 } as const;

export type FolderContents =
  | { ok: true; folder: string; files: ReadonlyMap<string, Uint8Array> }
  | { ok: false; problems: RubricProblem[] };

interface Walk {
  folder: string;
  files: Map<string, Uint8Array>;
  bytes: number;
  problems: RubricProblem[];
}

/**
 * Reads every file of a folder into memory, keyed by its forward-slash path. Links are never followed (a link in an
 * uploaded rubric could publish `/etc/shadow`), not even one that appears between look and read; special files, hidden
 * names and anything beyond the bounds are refused. Names are checked before a file is opened.
 */
export async function readFolder(folder: string): Promise<FolderContents> {
  let root: string;
  try {
    root = await realpath(folder);
    if (!(await lstat(root)).isDirectory()) return refuse('', `"${folder}" is not a folder`);
  } catch (error) {
    return refuse('', `the folder "${folder}" cannot be read (${codeOf(error)})`);
  }
  const walk: Walk = { folder: root, files: new Map(), bytes: 0, problems: [] };
  try {
    await readInto(walk, '', 1);
  } catch (error) {
    return refuse('', `the folder "${folder}" cannot be read (${codeOf(error)})`);
  }
  return walk.problems.length > 0 ? { ok: false, problems: walk.problems } : { ok: true, folder: root, files: walk.files };
}

const refuse = (file: string, message: string): { ok: false; problems: RubricProblem[] } => ({
  ok: false,
  problems: [{ file, line: null, path: '', message }],
});

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : String(error));

/** Stops at the first bound that is exceeded: what comes after it may be endless. */
async function readInto(walk: Walk, inside: string, depth: number): Promise<void> {
  const complain = (file: string, message: string) => walk.problems.push({ file, line: null, path: '', message });
  for await (const entry of await opendir(join(walk.folder, inside))) {
    const path = inside === '' ? entry.name : `${inside}/${entry.name}`;
    if (entry.name.startsWith('.')) complain(path, 'hidden files do not belong into a rubric');
    else if (!RubricPath.safeParse(path).success)
      complain(path, 'names may have letters, digits, ".", "_" and "-" only, 200 characters at most');
    else if (entry.isSymbolicLink()) complain(path, 'links are not followed; put the file itself into the folder');
    else if (entry.isDirectory()) {
      if (depth >= folderBounds.depth) complain(path, `folders nest at most ${folderBounds.depth} deep`);
      else await readInto(walk, path, depth + 1);
    } else if (!entry.isFile()) complain(path, 'only ordinary files belong into a rubric');
    else if (walk.files.size >= folderBounds.files) complain('', `the folder has more than ${folderBounds.files} files`);
    else await readFile(walk, path, complain);
    if (walk.problems.length > 0) return;
  }
}

async function readFile(walk: Walk, path: string, complain: (file: string, message: string) => void): Promise<void> {
  // NONBLOCK: a pipe put in the file's place must not make the open wait for a writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  await using file = await open(join(walk.folder, path), flags);
  const { size, ...stats } = await file.stat().then((s) => ({ size: s.size, isFile: s.isFile() }));
  if (!stats.isFile) return void complain(path, 'only ordinary files belong into a rubric');
  if (size > folderBounds.fileBytes) return void complain(path, `has ${size} bytes, at most ${folderBounds.fileBytes} are accepted`);
  // One byte more than it claimed shows a file that grows while it is read.
  const buffer = Buffer.alloc(size + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
    if (length > size) return void complain(path, 'changed while it was read');
  }
  walk.bytes += length;
  if (walk.bytes > folderBounds.totalBytes) return void complain('', `the folder has more than ${folderBounds.totalBytes} bytes`);
  walk.files.set(path, buffer.subarray(0, length));
}
