import { z } from 'zod';
import type { Availability, Profile } from '../../contracts/sandbox.ts';
import { type Engine, engineProblem, within } from './engine.ts';
import type { DockerDriverOptions } from './options.ts';

export const installEngine =
  'Install a Docker engine and start it (Debian: `apt-get install docker.io`), or point DOCKER_HOST at one that runs; the worker needs access to its socket.';
export const buildImages =
  'Run `npx collective images build` on the worker (needs Debian or Ubuntu and its package archive), then start the worker again.';
const probeMs = 5_000;

const Info = z.object({ Runtimes: z.record(z.string(), z.unknown()).nullish(), SecurityOptions: z.array(z.string()).nullish() });

/** What can be run with this engine now. Never rejects: an engine that does not answer is an answer. */
export async function probeEngine(engine: Engine, given: DockerDriverOptions): Promise<Availability> {
  const ms = Math.min(probeMs, engine.timeoutMs);
  let info: z.infer<typeof Info>;
  try {
    info = Info.parse(await within(ms, 'answer', engine.docker.info()));
  } catch (error) {
    const reason = `no Docker engine answers at ${engine.host} (${engineProblem(error)})`;
    return { available: false, profiles: [], reason, install: installEngine };
  }
  const runtimes = Object.keys(info.Runtimes ?? {});
  const usual = given.runtimes?.usual ?? 'runc';
  if (!runtimes.includes(usual)) {
    const reason = `the Docker engine at ${engine.host} has no runtime "${usual}" (it has ${runtimes.join(', ')})`;
    return { available: false, profiles: [], reason, install: `Register the runtime in the engine's daemon.json, or set SANDBOX_RUNTIME.` };
  }
  const profiles: Profile[] = [];
  const missing: Profile[] = [];
  for (const profile of ['node', 'python'] as const) {
    const imageId = given.images[profile];
    if (imageId !== undefined && (await hasImage(engine, imageId, ms))) profiles.push(profile);
    else missing.push(profile);
  }
  if (profiles.length === 0) {
    const reason = `the Docker engine at ${engine.host} has no sandbox image for ${missing.join(' or ')}`;
    return { available: false, profiles, reason, install: buildImages };
  }
  // The runner's folder is only for root, which with user namespaces is another user than the folder's owner.
  const remapped = (info.SecurityOptions ?? []).some((option) => option.startsWith('name=userns'));
  if (given.runnerFolder !== undefined && (given.imagePolicy?.registries.length ?? 0) > 0 && !remapped) profiles.push('image');
  const without = missing.length === 0 ? '' : `; no image for ${missing.join(', ')}`;
  return { available: true, profiles, gvisor: runtimes.includes('runsc'), detail: `Docker engine at ${engine.host}${without}` };
}

async function hasImage({ docker }: Engine, imageId: string, ms: number): Promise<boolean> {
  return await within(ms, 'inspect an image', docker.getImage(imageId).inspect()).then(
    () => true,
    () => false,
  );
}
