import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { z } from 'zod';
import { ImageReference } from '../../contracts/sandbox.ts';
import { within } from '../docker/engine.ts';

/**
 * Which images of participants this machine has pulled, and when each was last used: one small file per image, so that
 * two workers with the same folder never overwrite each other's knowledge. Only images named here are ever removed.
 */
const ImageUse = z.object({
  reference: ImageReference,
  imageId: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  usedAt: z.iso.datetime(),
});
export type ImageUse = z.infer<typeof ImageUse>;

const fileOf = (folder: string, reference: string): string => join(folder, `${createHash('sha256').update(reference).digest('hex')}.json`);

/** What is known about an image that was pulled here; null when it was not, or when the file is damaged. */
export async function readUse(folder: string, reference: string): Promise<ImageUse | null> {
  const use = await readUseFile(fileOf(folder, reference));
  return use?.reference === reference ? use : null;
}

async function readUseFile(file: string): Promise<ImageUse | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  try {
    return ImageUse.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

export async function writeUse(folder: string, use: ImageUse): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = fileOf(folder, use.reference);
  const beside = `${file}.${process.pid}`;
  await writeFile(beside, JSON.stringify(use));
  await rename(beside, file);
}

/**
 * Removes the images that were used longest ago until `keep` are left. One that a container uses stays, whatever its
 * age: the engine answers 409 and the image gets its turn again next time. Gives the references that went.
 */
export async function removeOldest(docker: Docker, folder: string, keep: number, timeoutMs: number): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  const uses: ImageUse[] = [];
  for (const name of names) {
    const use = await readUseFile(join(folder, name));
    if (use !== null) uses.push(use);
  }
  uses.sort((a, b) => (a.usedAt < b.usedAt ? 1 : -1));
  const gone: string[] = [];
  for (const { reference } of uses.slice(keep)) {
    // An engine that cannot remove one now is asked again with the next image; nobody's evaluation has to fail for it.
    if (!(await removeImage(docker, reference, timeoutMs).catch(() => false))) continue;
    await rm(fileOf(folder, reference), { force: true });
    gone.push(reference);
  }
  return gone;
}

/** False when the engine says that a container uses it. */
export async function removeImage(docker: Docker, reference: string, timeoutMs: number): Promise<boolean> {
  try {
    await within(timeoutMs, 'remove an image', docker.getImage(reference).remove());
    return true;
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode === 404) return true;
    if (statusCode === 409) return false;
    throw error;
  }
}
