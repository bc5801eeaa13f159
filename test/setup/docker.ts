import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { engineAt, engineProblem, within } from '../../sandboxes/docker/engine.ts';
import { buildImages, loadImageIds } from '../../sandboxes/images/build.ts';
import type { Optional } from './optional.ts';

export interface TestEngine {
  state: Optional;
  dockerHost: string;
  docker: Docker;
  images: { node?: string; python?: string };
}

/** The record of images that tests share; built once per machine and recipe. */
export const testImagesFile = join(tmpdir(), `collective-test-images-${process.getuid?.() ?? 0}`, 'images.json');

/**
 * The engine that tests use: DOCKER_HOST or the usual socket. Where one answers, the sandbox images are built when
 * missing, which takes some seconds once.
 */
export async function testEngine(): Promise<TestEngine> {
  const engine = engineAt(process.env.DOCKER_HOST);
  if (!engine.ok) throw new Error(engine.problem);
  const found = { docker: engine.docker, dockerHost: engine.host };
  try {
    await within(3_000, 'answer', engine.docker.ping());
  } catch (error) {
    const reason = `no Docker engine answers at ${engine.host} (${engineProblem(error)})`;
    return { ...found, state: { available: false, reason }, images: {} };
  }
  const built = await buildImages(engine.docker, { file: testImagesFile });
  if (!built.ok) return { ...found, state: { available: false, reason: built.problem }, images: {} };
  return { ...found, state: { available: true }, images: await loadImageIds(testImagesFile) };
}
