import type Docker from 'dockerode';
import { z } from 'zod';
import { engineProblem, within } from '../docker/engine.ts';
import type { ImagePolicy } from '../docker/options.ts';
import { readUse, removeImage, removeOldest, writeUse } from './image-records.ts';
import { checkLayers } from './layers.ts';
import { type LintResult, lintImage } from './lint.ts';
import { ContainerDefaults, type ImageConfig } from './oci.ts';
import { pullImage } from './pull.ts';
import { type ReferenceParts, readReference } from './reference.ts';
import { type Failure, fetchImage, machineArchitecture, participant, platform } from './registry.ts';

/**
 * Theory of operation. A participant names an image; nothing of it reaches the engine before we have read it ourselves:
 * the operator's list, then manifest and configuration, then every layer's bytes. Only then the engine pulls, by the
 * same digest. What the engine understood is linted once more and must come to the same command and variables: two
 * parsers of one document may differ, and the engine's reading is the one that runs.
 */
export interface ImagePreparation {
  policy: ImagePolicy;
  /** Folder of the record of pulled images, beside `images.json`; made when missing. */
  recordFolder: string;
  /** Images kept, the most recently used ones; 20 when absent. */
  keep?: number;
  /** For one quick answer of engine or registry; 30 seconds when absent. */
  timeoutMs?: number;
}

export type PreparedImage =
  | { ok: true; imageId: string; command: string[]; environment: Record<string, string>; notes: string[] }
  /** `fault: 'participant'`: the image is refused; `'platform'`: engine or registry failed, worth another attempt. */
  | Failure;

/** One preparation per image and process, however many evaluations wait for it. */
const underWay = new Map<string, { run: Promise<PreparedImage>; signal: AbortSignal }>();

/** Makes sure that the engine holds an image that may run, and says what to run in it. Never throws. */
export async function prepareImage(
  docker: Docker,
  reference: string,
  options: ImagePreparation,
  signal: AbortSignal,
): Promise<PreparedImage> {
  const read = readReference(reference, options.policy);
  if (!read.ok) return options.policy.registries.length === 0 ? platform(read.message) : participant(read.message);
  for (let other = underWay.get(reference); other !== undefined; other = underWay.get(reference)) {
    const result = await Promise.race([other.run, ended(signal)]);
    // Whoever began may have been cancelled; that is not our end.
    if (signal.aborted || !other.signal.aborted) return result;
    if (underWay.get(reference) === other) underWay.delete(reference);
  }
  const run = prepare(docker, reference, read.parts, options, signal).catch((error) =>
    platform(`the engine could not prepare the image: ${engineProblem(error)}`),
  );
  const own = { run, signal };
  underWay.set(reference, own);
  try {
    return await run;
  } finally {
    if (underWay.get(reference) === own) underWay.delete(reference);
  }
}

function ended(signal: AbortSignal): Promise<Failure> {
  const failure = platform('the evaluation was ended while its image was fetched');
  if (signal.aborted) return Promise.resolve(failure);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(failure), { once: true }));
}

async function prepare(
  docker: Docker,
  reference: string,
  parts: ReferenceParts,
  options: ImagePreparation,
  signal: AbortSignal,
): Promise<PreparedImage> {
  const timeoutMs = options.timeoutMs ?? 30_000;
  const known = await readUse(options.recordFolder, reference);
  if (known !== null) {
    const held = await inspect(docker, reference, timeoutMs);
    // The record says that its bytes were looked at; what the engine makes of it is judged anew by today's rules.
    if (held?.imageId === known.imageId) return await used(docker, reference, held, lint(held.config, options), options);
  }
  const fetched = await fetchImage({ parts, signal, timeoutMs });
  if (!fetched.ok) return fetched;
  const { manifest, config } = fetched;
  const before = lintImage(config, manifest, options.policy, machineArchitecture());
  if (!before.ok) return refused(before.problems);
  const layers = await checkLayers({ parts, signal, timeoutMs }, manifest, config, options.policy);
  if (!layers.ok) return layers;
  const pulled = await pullImage(docker, reference, signal);
  if (!pulled.ok) return pulled;
  const held = await inspect(docker, reference, timeoutMs);
  if (held === null) return platform('the engine pulled the image and does not have it');
  const after = lint(held.config, options);
  const same =
    // Classic image stores name an image by its configuration, the containerd store by its manifest.
    [manifest.config.digest, parts.digest].includes(held.imageId) &&
    held.config.rootfs.diff_ids.join() === config.rootfs.diff_ids.join() &&
    JSON.stringify(after) === JSON.stringify(before);
  if (!same) {
    await removeImage(docker, reference, timeoutMs);
    return participant(`the engine reads another image out of this digest than its documents say: ${whatElse(after)}`);
  }
  return await used(docker, reference, held, after, options);
}

const lint = (config: ImageConfig, { policy }: ImagePreparation): LintResult => lintImage(config, null, policy, machineArchitecture());

async function used(
  docker: Docker,
  reference: string,
  { imageId }: Held,
  result: LintResult,
  options: ImagePreparation,
): Promise<PreparedImage> {
  if (!result.ok) return refused(result.problems);
  await writeUse(options.recordFolder, { reference, imageId, usedAt: new Date().toISOString() });
  await removeOldest(docker, options.recordFolder, Math.max(options.keep ?? 20, 1), options.timeoutMs ?? 30_000);
  const { command, environment, notes } = result;
  return { ok: true, imageId, command, environment, notes };
}

const refused = (problems: readonly string[]): Failure => participant(`the image is refused: ${problems.join('; ')}`);
const whatElse = (after: LintResult): string => (after.ok ? 'its fields are written twice; push it again' : after.problems.join('; '));

interface Held {
  imageId: string;
  config: ImageConfig;
}

const Inspected = z.object({
  Id: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  Os: z.string(),
  Architecture: z.string(),
  Config: ContainerDefaults.nullish(),
  RootFS: z.object({ Layers: z.array(z.string()).nullish() }),
});

/** The image as the engine understands it; null when the engine does not have it. */
async function inspect(docker: Docker, reference: string, timeoutMs: number): Promise<Held | null> {
  try {
    const { Id, Os, Architecture, Config, RootFS } = Inspected.parse(
      await within(timeoutMs, 'inspect an image', docker.getImage(reference).inspect()),
    );
    const rootfs = { type: 'layers' as const, diff_ids: RootFS.Layers ?? [] };
    return { imageId: Id, config: { os: Os, architecture: Architecture, config: Config, rootfs } };
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return null;
    throw error;
  }
}
