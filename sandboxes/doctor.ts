import type Docker from 'dockerode';
import { z } from 'zod';
import type { DoctorReport, Finding } from '../contracts/doctor.ts';
import type { Runtime } from '../contracts/sandbox.ts';
import { type Check, finding } from './docker/diagnosis.ts';
import { dockerDriver } from './docker/driver.ts';
import { type Engine, engineAt, engineProblem, within } from './docker/engine.ts';
import { EngineInfo, EngineVersion, engineChecks, type Versions } from './docker/engine-checks.ts';
import { clockCheck, diskCheck, watchClock } from './docker/host-checks.ts';
import { liveChecks, wallChecks } from './docker/live-checks.ts';
import { report } from './docker/live-judgements.ts';
import type { DockerDriverOptions } from './docker/options.ts';
import { runtimeVersion } from './docker/runtime-versions.ts';
import { probeRuntimes, type RuntimeState } from './docker/runtimes.ts';

const engineMs = 5_000;

export interface DoctorOptions extends DockerDriverOptions {
  /** Folder whose disk must not be full. */
  home?: string;
  /** Time of the database, where there is one. */
  databaseTime?: () => Promise<Date>;
  /** Stops the checks; what they started is removed, and the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

const Registered = z.object({ Runtimes: z.record(z.string(), z.unknown()).nullable().default({}) });

/**
 * Looks at everything that judging in containers relies on: engine, versions, disk, clocks, images, runtimes, and live
 * sandboxes seen from inside. Takes some seconds. Never throws for what it finds; stops at the first thing without which
 * nothing further can be tried. Leaves nothing behind.
 */
export async function diagnose(options: DoctorOptions): Promise<DoctorReport> {
  const clockStood = watchClock();
  const signal = options.signal ?? new AbortController().signal;
  const engine = engineAt(options.dockerHost);
  if (!engine.ok) return { engineVersion: null, findings: [finding(engineThere, false, engine.problem)] };
  let about: About;
  try {
    about = await aboutEngine(engine, options);
  } catch (error) {
    const detail = `no Docker engine answers at ${engine.host} (${engineProblem(error)})`;
    return { engineVersion: null, findings: [finding(engineThere, false, detail)] };
  }
  const { info, version } = about;
  const images = await imageChecks(engine.docker, options.images);
  const imageId = options.images.python;
  const canRun = imageId !== undefined && images.some((one) => one.check === 'image-python' && one.ok);
  signal.throwIfAborted();
  const findings = [
    finding(engineThere, true, `Docker Engine ${version.Version} at ${engine.host}, kernel ${info.KernelVersion}`),
    ...engineChecks(info, version, about.versions, { runtimes: about.used, foreignImages: hasForeignImages(options) }),
    ...(info.DockerRootDir === '' ? [] : [await diskCheck('disk-engine', info.DockerRootDir)]),
    ...(options.home === undefined ? [] : [await diskCheck('disk-home', options.home)]),
    await clockCheck('engine', async () => new Date(await systemTime(engine))),
    ...(options.databaseTime === undefined ? [] : [await clockCheck('database', options.databaseTime)]),
    ...images,
    ...(canRun ? await tryIt(engine, imageId, options, about, signal) : []),
  ];
  return { engineVersion: version.Version, findings: [...findings, clockStood()] };
}

/** Version of the engine; null when none answers. Takes a few milliseconds. */
export async function engineVersionOf({ dockerHost }: Pick<DockerDriverOptions, 'dockerHost'>): Promise<string | null> {
  const engine = engineAt(dockerHost);
  if (!engine.ok) return null;
  return await within(engineMs, 'tell its version', engine.docker.version()).then(
    ({ Version }) => Version,
    () => null,
  );
}

interface About {
  info: EngineInfo;
  version: EngineVersion;
  versions: Versions;
  used: Runtime[];
}

async function aboutEngine(engine: Engine, options: DoctorOptions): Promise<About> {
  const raw = await within(engineMs, 'answer', engine.docker.info());
  const info = EngineInfo.parse(raw);
  const version = EngineVersion.parse(await within(engineMs, 'answer', engine.docker.version()));
  const registered = Registered.parse(raw).Runtimes ?? {};
  const sameMachine = engine.host.startsWith('unix:');
  const versionOf = (runtime: Runtime) => runtimeVersion(runtime, registered[runtime], sameMachine);
  const component = version.Components?.find((part) => part.Name === 'runc')?.Version;
  const versions = { runc: component ?? (await versionOf('runc')), crun: await versionOf('crun'), runsc: await versionOf('runsc') };
  const chosen = [options.runtimes?.usual ?? 'runc', ...Object.values(options.runtimes?.byTier ?? {})];
  // A rubric may demand gVisor wherever it is registered.
  const used = [...new Set([...chosen, ...('runsc' in registered ? (['runsc'] as const) : [])])];
  return { info, version, versions, used };
}

async function systemTime({ docker }: Engine): Promise<string> {
  return EngineInfo.parse(await within(engineMs, 'tell its time', docker.info())).SystemTime;
}

const hasForeignImages = ({ imagePolicy, runnerFolder }: DoctorOptions): boolean =>
  runnerFolder !== undefined && (imagePolicy?.registries.length ?? 0) > 0;

/** Starts containers: one of each runtime, then our own sandboxes with each runtime that is used here. */
async function tryIt(
  engine: Engine,
  imageId: string,
  options: DoctorOptions,
  { info, used }: About,
  signal: AbortSignal,
): Promise<Finding[]> {
  const usual = options.runtimes?.usual ?? 'runc';
  const chosen = new Set([usual, ...Object.values(options.runtimes?.byTier ?? {})]);
  const states = await probeRuntimes(engine.docker, imageId);
  const findings = states.map((state) => runtimeCheck(state, chosen.has(state.runtime)));
  signal.throwIfAborted();
  // The doctor's own name: its containers and folders are not the worker's, and no container shall wait for a second use.
  await using driver = dockerDriver({ ...options, workerId: `${options.workerId}-doctor`, poolBytes: 0 });
  const common = { driver, swapIsCounted: info.SwapLimit, signal };
  for (const { runtime, usable } of states) {
    if (runtime === usual || !usable || !used.includes(runtime)) continue;
    findings.push(wallsCheck(runtime, chosen.has(runtime), await wallChecks({ ...common, runtime })));
    signal.throwIfAborted();
  }
  findings.push(...(await liveChecks({ ...common, runtime: usual })));
  signal.throwIfAborted();
  return findings;
}

function runtimeCheck({ runtime, usable, detail }: RuntimeState, isChosen: boolean): Finding {
  const what: Check = {
    check: `runtime-${runtime}`,
    ...(isChosen ? ({ severity: 'critical', blocks: 'all' } as const) : ({ severity: 'info', blocks: 'nothing' } as const)),
    why: isChosen
      ? 'containers of this machine are started with it'
      : 'not needed; rubrics that demand gVisor wait for a machine that has runsc',
    fix: `Install ${runtime} and register it in the engine's daemon.json${isChosen ? ', or choose another with SANDBOX_RUNTIME and SANDBOX_RUNTIMES_BY_TIER' : ''}.`,
  };
  return finding(what, usable, detail);
}

/** All walls under a runtime that is not the usual one, as one finding. */
function wallsCheck(runtime: Runtime, isChosen: boolean, walls: readonly Finding[]): Finding {
  const missing = walls.filter((one) => !one.ok && one.blocks === 'all');
  const what: Check = {
    check: `walls-${runtime}`,
    ...(isChosen ? ({ severity: 'critical', blocks: 'all' } as const) : ({ severity: 'warning', blocks: 'nothing' } as const)),
    why: isChosen ? 'some risk tiers are run with it' : 'rubrics that demand it wait for another machine',
    cves: missing.flatMap((one) => one.cves),
    fix: report,
  };
  const detail =
    missing.length === 0 ? `${walls.length} checks from inside passed` : missing.map((one) => `${one.check}: ${one.detail}`).join('; ');
  return finding(what, missing.length === 0, detail.slice(0, 1000));
}

async function imageChecks(docker: Docker, images: DockerDriverOptions['images']): Promise<Finding[]> {
  const checks: Finding[] = [];
  for (const profile of ['node', 'python'] as const) {
    const id = images[profile];
    const there =
      id !== undefined &&
      (await within(engineMs, 'inspect an image', docker.getImage(id).inspect()).then(
        () => true,
        () => false,
      ));
    const detail = id === undefined ? 'not built yet' : there ? id : `${id} is not in the engine`;
    checks.push(finding({ ...image, check: `image-${profile}`, why: `programs of profile "${profile}" run in it` }, there, detail));
  }
  return checks;
}

/** Critical, because something cannot run here; it stands in nobody else's way. */
const image = {
  severity: 'critical',
  blocks: 'nothing',
  fix: 'Run `npx collective images build` (needs Debian or Ubuntu and its package archive).',
} as const;

const engineThere: Check = {
  check: 'engine',
  severity: 'critical',
  blocks: 'all',
  why: 'Python and Node programs run in containers only',
  fix: 'Install a Docker engine and start it (Debian: `apt-get install docker.io`), or set DOCKER_HOST to one that runs (unix:///path or tcp://host:port).',
};
