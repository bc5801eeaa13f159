import type Docker from 'dockerode';
import { type Diagnosis, diagnosis } from './docker/diagnosis.ts';
import { type DockerDriverOptions, dockerDriver } from './docker/driver.ts';
import { engineAt, engineProblem, within } from './docker/engine.ts';
import { EngineInfo, EngineVersion, engineChecks } from './docker/engine-checks.ts';
import { liveChecks } from './docker/live-checks.ts';

const engineMs = 5_000;
const installEngine = 'Install a Docker engine and start it (Debian: `apt-get install docker.io`), or set DOCKER_HOST.';
const buildImages = 'Run `npx collective images build` (needs Debian or Ubuntu and its package archive).';

/**
 * Looks at everything that judging in containers relies on: engine, images, and a live sandbox seen from inside. Takes
 * some seconds. Never throws for what it finds; stops at the first thing without which nothing further can be tried.
 */
export async function diagnose(options: DockerDriverOptions): Promise<Diagnosis[]> {
  const engine = engineAt(options.dockerHost);
  if (!engine.ok) return [diagnosis('engine', 'fatal', false, engine.problem, installEngine)];
  let info: EngineInfo;
  let version: EngineVersion;
  try {
    info = EngineInfo.parse(await within(engineMs, 'answer', engine.docker.info()));
    version = EngineVersion.parse(await within(engineMs, 'answer', engine.docker.version()));
  } catch (error) {
    return [diagnosis('engine', 'fatal', false, `no Docker engine answers at ${engine.host} (${engineProblem(error)})`, installEngine)];
  }
  const found = [
    diagnosis('engine', 'fatal', true, `Docker Engine ${version.Version} at ${engine.host}, kernel ${info.KernelVersion}`, ''),
    ...engineChecks(info, version),
    ...(await imageChecks(engine.docker, options.images)),
  ];
  const canRun = found.some((one) => one.check === 'image-python' && one.ok);
  return canRun ? [...found, ...(await liveChecks(dockerDriver(options)))] : found;
}

async function imageChecks(docker: Docker, images: DockerDriverOptions['images']): Promise<Diagnosis[]> {
  const checks: Diagnosis[] = [];
  for (const profile of ['node', 'python'] as const) {
    const id = images[profile];
    const there =
      id !== undefined &&
      (await within(engineMs, 'inspect an image', docker.getImage(id).inspect()).then(
        () => true,
        () => false,
      ));
    const detail = id === undefined ? 'not built yet' : there ? id : `${id} is not in the engine`;
    checks.push(diagnosis(`image-${profile}`, 'fatal', there, detail, buildImages));
  }
  return checks;
}
