import { createReadStream } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type Docker from 'dockerode';
import { z } from 'zod';
import { Sha256 } from '../../contracts/ids.ts';
import { aptProblem, unpackPackages } from './apt.ts';
import { type ImageName, imageNames, type Recipe, recipeHash, recipeOf } from './recipe.ts';
import { finishRoot, writeArchive } from './root-fs.ts';
import { ensureRunnerFolder, RunnerRecord, removeOldRunners, runnerFolderOf } from './runner-folder.ts';

/**
 * Theory of operation. Sandbox images are assembled without a registry and without `docker build`: Debian packages
 * are unpacked, pruned, joined with the runner, written as one normalised archive and imported as a single layer.
 * The engine's image id and the archive's SHA-256 are recorded; containers are made from the id, never from a tag.
 * From the same files as the python image comes the folder with the runner for images of participants.
 */
const ImageRecord = z.object({
  imageId: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** SHA-256 of the normalised archive: names the content, whichever engine holds it. */
  archiveSha256: Sha256,
  recipeSha256: Sha256,
  /** Package files that went in, with their versions. */
  packages: z.array(z.string()),
  builtAt: z.string(),
  /** Of the python image only: the folder `runner/<archiveSha256>` beside the record. */
  runner: RunnerRecord.optional(),
});
export type ImageRecord = z.infer<typeof ImageRecord>;
const ImageFile = z.object({ version: z.literal(1), images: z.partialRecord(z.enum(imageNames), ImageRecord) });

export interface BuildOptions {
  /** The record of images, JSON; made when missing. */
  file: string;
  /** Images to build; all by default. */
  names?: readonly ImageName[];
  /** Node executable for the `node` image; the running one by default. */
  nodeBinary?: string;
  /** Build again although nothing in the recipe changed, to pick up security updates of the packages. */
  refresh?: boolean;
  signal?: AbortSignal;
  onProgress?(message: string): void;
}

export type BuildResult =
  | { ok: true; images: Partial<Record<ImageName, ImageRecord>>; built: ImageName[] }
  | { ok: false; problem: string };

/** Reads the record of images. A missing or damaged file is no images: they are then built again. */
export async function readRecords(file: string): Promise<Partial<Record<ImageName, ImageRecord>>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  const parsed = ImageFile.safeParse(parseJson(text));
  return parsed.success ? parsed.data.images : {};
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Image ids by profile, as `dockerDriver` takes them; empty when none were built. */
export async function loadImageIds(file: string): Promise<{ node?: string; python?: string }> {
  const records = await readRecords(file);
  return Object.fromEntries(Object.entries(records).map(([name, record]) => [name, record.imageId]));
}

/** Folder with the runner for images of participants, as `dockerDriver` takes it; undefined when it was not built. */
export async function loadRunnerFolder(file: string): Promise<string | undefined> {
  const { python } = await readRecords(file);
  return python?.runner === undefined ? undefined : runnerFolderOf(resolve(dirname(file)), python.archiveSha256);
}

/**
 * Builds the images that are missing or whose recipe changed, one after another. Takes some seconds and a reachable
 * package archive; does nothing in a few milliseconds when all are there.
 */
export async function buildImages(docker: Docker, options: BuildOptions): Promise<BuildResult> {
  const records = await readRecords(options.file);
  const built: ImageName[] = [];
  const release = await hostRelease();
  for (const name of options.names ?? imageNames) {
    const recipe = recipeOf(name, options.nodeBinary ?? process.execPath);
    const recipeSha256 = await recipeHash(recipe, release);
    const known = records[name];
    if (known?.recipeSha256 === recipeSha256 && !options.refresh && (await isThere(docker, name, known, options.file))) continue;
    options.onProgress?.(`building the ${name} sandbox image`);
    const result = await buildOne(docker, recipe, dirname(options.file), options.signal ?? new AbortController().signal);
    if (!result.ok) return result;
    records[name] = { ...result.image, recipeSha256, builtAt: new Date().toISOString() };
    built.push(name);
    await writeRecords(options.file, records);
    if (known !== undefined) await removeUnused(docker, known.imageId);
    if (name === 'python') await removeOldRunners(dirname(options.file), result.image.archiveSha256);
  }
  return { ok: true, images: records, built };
}

/** Quick: that what is there is right is for `verifyImages` to say. */
async function isThere(docker: Docker, name: ImageName, record: ImageRecord, file: string): Promise<boolean> {
  if (!(await hasImage(docker, record.imageId))) return false;
  if (name !== 'python') return true;
  const exists = access(runnerFolderOf(dirname(file), record.archiveSha256)).then(
    () => true,
    () => false,
  );
  return record.runner !== undefined && (await exists);
}

type OneResult = { ok: true; image: Omit<ImageRecord, 'recipeSha256' | 'builtAt'> } | { ok: false; problem: string };

async function buildOne(docker: Docker, recipe: Recipe, home: string, signal: AbortSignal): Promise<OneResult> {
  const problem = await aptProblem();
  if (problem !== null) return { ok: false, problem };
  const work = await mkdtemp(join(tmpdir(), 'collective-image-'));
  try {
    const root = join(work, 'root');
    const unpacked = await unpackPackages(recipe.packages, work, root, signal);
    if (!unpacked.ok) return unpacked;
    await finishRoot(recipe, root, signal);
    const archive = join(work, 'root.tar');
    const archiveSha256 = await writeArchive(recipe, root, archive);
    const imported = await importArchive(docker, archive, recipe.name);
    if (!imported.ok) return imported;
    const image = { imageId: imported.imageId, archiveSha256, packages: unpacked.packages };
    if (recipe.name !== 'python') return { ok: true, image };
    return { ok: true, image: { ...image, runner: await ensureRunnerFolder({ root, home, archiveSha256 }) } };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const ImportLine = z.object({ status: z.string().optional(), error: z.string().optional() });

async function importArchive(
  docker: Docker,
  archive: string,
  name: ImageName,
): Promise<{ ok: true; imageId: string } | { ok: false; problem: string }> {
  const labels = { fromSrc: '-', changes: [`LABEL collective.image=${name}`] };
  // dockerode's own types know only paths here; the engine's answer is a stream of JSON lines.
  const answer: NodeJS.ReadableStream = await docker.importImage(createReadStream(archive), labels);
  let text = '';
  for await (const part of answer) text += part.toString();
  for (const line of text.split('\n').filter((part) => part.trim() !== '')) {
    const parsed = ImportLine.safeParse(parseJson(line));
    if (parsed.data?.error !== undefined) return { ok: false, problem: `the engine refused the image: ${parsed.data.error}` };
    if (parsed.data?.status?.startsWith('sha256:')) return { ok: true, imageId: parsed.data.status };
  }
  return { ok: false, problem: `the engine did not name the imported image: ${text.slice(0, 300)}` };
}

export async function hasImage(docker: Docker, imageId: string): Promise<boolean> {
  return await docker
    .getImage(imageId)
    .inspect()
    .then(
      () => true,
      (error: { statusCode?: number }) => {
        if (error.statusCode === 404) return false;
        throw error;
      },
    );
}

/** Removes an image that was replaced; one that a container still uses stays, and nobody needs it to go. */
async function removeUnused(docker: Docker, imageId: string): Promise<void> {
  await docker
    .getImage(imageId)
    .remove()
    .catch((error: { statusCode?: number }) => {
      if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
    });
}

/** Written beside and renamed: a reader never sees half a record. */
async function writeRecords(file: string, images: Partial<Record<ImageName, ImageRecord>>): Promise<void> {
  const beside = join(dirname(file), `.images-${process.pid}.json`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(beside, `${JSON.stringify({ version: 1, images }, null, 2)}\n`);
  await rename(beside, file);
}

/** Names the release whose packages are used, `debian-12`; hosts without the file cannot build anyway. */
async function hostRelease(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const value = (key: string) => new RegExp(`^${key}="?([^"\\n]*)`, 'm').exec(text)?.[1] ?? '';
  return `${value('ID')}-${value('VERSION_ID')}-${process.arch}`;
}
