import { performance } from 'node:perf_hooks';
import type Docker from 'dockerode';
import type { Availability, Language, Profile, SandboxDriver, SandboxOptions } from '../../contracts/sandbox.ts';
import { engineAt, engineProblem, within } from './engine.ts';
import type { DockerProfile } from './hardening.ts';
import { reapAbandoned } from './reap.ts';
import { DockerSandbox } from './sandbox.ts';
import { openDoor } from './socket-folder.ts';

/**
 * Theory of operation. A sandbox is one container of a Docker engine: no network, read-only root, bounded memory,
 * processes and scratch space, our own system call filter (hardening.ts). Its first process is our runner
 * (sandboxes/images/runner), which starts every case of the evaluation as another user. The worker speaks to the
 * runner over the container's attached stdin and stdout in frames (frames.ts, runner-protocol.ts) and observes the
 * container from outside (meter.ts); what it observed decides over what it is told (verdict.ts). The only way out is
 * a unix socket in a read-only folder, behind which the gateway session of this evaluation answers (socket-folder.ts).
 *
 * Engine calls are create, attach, start, inspect, stats, list and remove. Never used, because each let a container
 * reach the host before: archive (copies files through paths the container shapes), exec, build, and images by tag.
 */
export interface DockerDriverOptions {
  /** `unix:///path` or `tcp://host:port`; the engine's usual socket when absent. */
  dockerHost?: string;
  /** Folder for gateway sockets; must have the same path on the engine's host. */
  socketFolder: string;
  /** Engine's image ids (`sha256:…`) by profile, from `loadImageIds`. */
  images: { node?: string; python?: string };
  workerId: string;
}

const languages: Record<DockerProfile, Language> = { node: 'javascript', python: 'python' };
const installEngine =
  'Install a Docker engine and start it (Debian: `apt-get install docker.io`), or point DOCKER_HOST at one that runs; the worker needs access to its socket.';
const buildImages = 'Run `npx collective images build` on the worker (needs Debian or Ubuntu and its package archive).';
const probeMs = 5_000;
const reapEveryMs = 60_000;

/** The driver for profiles `node` and `python`. Connects to nothing until it is used. */
export function dockerDriver(given: DockerDriverOptions): SandboxDriver {
  const engine = engineAt(given.dockerHost);
  let reapedAt = Number.NEGATIVE_INFINITY;

  const reapSometimes = async (docker: Docker) => {
    if (performance.now() - reapedAt < reapEveryMs) return;
    reapedAt = performance.now();
    await reapAbandoned(docker, reapEveryMs, Date.now());
  };

  return {
    name: 'docker',
    profiles: ['node', 'python'],
    probe: async () => {
      if (!engine.ok) return { available: false, profiles: [], reason: engine.problem, install: installEngine };
      return await probe(engine.docker, engine.host, given.images);
    },
    open: async (options) => {
      const accepted = accept(options, given.images);
      if (!accepted.ok) return accepted;
      if (!engine.ok) return { ok: false, message: engine.problem };
      try {
        await reapSometimes(engine.docker);
        return await openSandbox(engine.docker, given, options, accepted);
      } catch (error) {
        return { ok: false, message: `the sandbox could not be opened: ${engineProblem(error)}` };
      }
    },
  };
}

type Accepted = { ok: true; profile: DockerProfile; imageId: string } | { ok: false; message: string };

function accept({ profile, program }: SandboxOptions, images: DockerDriverOptions['images']): Accepted {
  if (profile === 'js') return { ok: false, message: 'the docker driver has no profile "js"' };
  const language = languages[profile];
  if (program.language !== language) {
    return { ok: false, message: `profile "${profile}" runs ${language}, this program is written in ${program.language}` };
  }
  const imageId = images[profile];
  if (imageId === undefined) return { ok: false, message: `there is no image for profile "${profile}". ${buildImages}` };
  return { ok: true, profile, imageId };
}

async function openSandbox(
  docker: Docker,
  given: DockerDriverOptions,
  options: SandboxOptions,
  { profile, imageId }: { profile: DockerProfile; imageId: string },
): ReturnType<SandboxDriver['open']> {
  if (options.signal.aborted) return { ok: false, message: 'the evaluation was cancelled' };
  const gateway = await openDoor(options.door, given.socketFolder);
  if (!gateway.ok) return gateway;
  const sourceBytes = Buffer.byteLength(options.program.source);
  const spec = { profile, imageId, limits: options.limits, sourceBytes, socketFolder: gateway.folder };
  const names = { sandboxId: options.id, workerId: given.workerId };
  const sandbox = new DockerSandbox({ docker, options, spec: { ...spec, ...names }, gateway: gateway.door });
  const prepared = await sandbox.prepare();
  if (prepared.ok) return { ok: true, sandbox };
  await sandbox[Symbol.asyncDispose]();
  return prepared;
}

async function probe(docker: Docker, host: string, images: DockerDriverOptions['images']): Promise<Availability> {
  try {
    await within(probeMs, 'answer', docker.ping());
  } catch (error) {
    const reason = `no Docker engine answers at ${host} (${engineProblem(error)})`;
    return { available: false, profiles: [], reason, install: installEngine };
  }
  const profiles: Profile[] = [];
  const missing: string[] = [];
  for (const profile of ['node', 'python'] as const) {
    const imageId = images[profile];
    if (imageId !== undefined && (await hasImage(docker, imageId))) profiles.push(profile);
    else missing.push(profile);
  }
  if (profiles.length === 0) {
    const reason = `the Docker engine at ${host} has no sandbox image for ${missing.join(' or ')}`;
    return { available: false, profiles, reason, install: buildImages };
  }
  const without = missing.length === 0 ? '' : `; no image for ${missing.join(', ')}`;
  return { available: true, profiles, detail: `Docker engine at ${host}${without}` };
}

async function hasImage(docker: Docker, imageId: string): Promise<boolean> {
  return await within(probeMs, 'inspect an image', docker.getImage(imageId).inspect()).then(
    () => true,
    () => false,
  );
}
