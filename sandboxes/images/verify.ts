import { dirname } from 'node:path';
import type Docker from 'dockerode';
import { type ImageRecord, readRecords } from './build.ts';
import { type ImageName, imageNames } from './recipe.ts';
import { runnerFolderOf, verifyRunnerFolder } from './runner-folder.ts';

/** `changed`: something is there under the recorded name and is not what was built. */
export type PartState = 'there' | 'gone' | 'changed' | 'never built';

export interface VerifiedImage {
  name: ImageName | 'runner';
  /** Engine's id of an image, path of the runner's folder. */
  where: string | null;
  state: PartState;
}

/**
 * Compares what the engine and the disk hold with what was recorded when it was built. An image is a single layer whose
 * digest is the SHA-256 of the archive that was imported, so that equal digests mean equal files.
 */
export async function verifyImages(docker: Docker, file: string): Promise<VerifiedImage[]> {
  const records = await readRecords(file);
  const parts: VerifiedImage[] = [];
  for (const name of imageNames) {
    const record = records[name];
    parts.push({ name, where: record?.imageId ?? null, state: record === undefined ? 'never built' : await imageState(docker, record) });
  }
  const { python } = records;
  if (python?.runner === undefined) return [...parts, { name: 'runner', where: null, state: 'never built' }];
  const folder = runnerFolderOf(dirname(file), python.archiveSha256);
  const state = await verifyRunnerFolder(folder, python.runner);
  return [...parts, { name: 'runner', where: folder, state: state === 'ok' ? 'there' : state }];
}

async function imageState(docker: Docker, { imageId, archiveSha256 }: ImageRecord): Promise<PartState> {
  try {
    const { Id, RootFS } = await docker.getImage(imageId).inspect();
    const layers = RootFS?.Layers ?? [];
    return Id === imageId && layers.length === 1 && layers[0] === `sha256:${archiveSha256}` ? 'there' : 'changed';
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return 'gone';
    throw error;
  }
}
