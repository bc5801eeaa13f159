import { Limits, type Profile, type Runtime, type SandboxDriver } from '../../../contracts/sandbox.ts';
import { dockerDriver } from '../../../sandboxes/docker/driver.ts';
import type { DockerDriverOptions } from '../../../sandboxes/docker/options.ts';
import { loadRunnerFolder } from '../../../sandboxes/images/build.ts';
import { wasmDriver } from '../../../sandboxes/wasm/driver.ts';
import { type TestEngine, testImagesFile } from '../../setup/docker.ts';
import { childrenOf } from '../../setup/processes.ts';
import { testRegistry } from '../../setup/registry.ts';
import { plantCanaries } from './canaries.ts';
import { watchContainers } from './containers.ts';
import { type Home, makeHome } from './home.ts';
import { type Attacked, type HonestRun, honestRunner } from './honest.ts';
import type { Own } from './host.ts';
import { type Judged, type Recorder, startRecorder } from './recorder.ts';
import { type Note, watched } from './watched.ts';

/** What attacks are carried out in: drivers as a worker has them, canaries around them, and eyes on the host. */
export interface Arena extends AsyncDisposable {
  engine: TestEngine;
  recorder: Recorder | null;
  given: DockerDriverOptions;
  driver(profile: Profile, changes?: Partial<DockerDriverOptions>): SandboxDriver & AsyncDisposable;
  /** A registry on the loopback that the drivers may pull from; started when first asked for. */
  registry(): ReturnType<typeof testRegistry>;
  honestRun: HonestRun;
  /** Carries out an attack, then looks at everything that must be as before. */
  watched(attack: (note: Note) => Promise<string[]>, allowRssBytes: number): Promise<string[]>;
  /** Calls to the engine that must never be made, of everything so far. */
  forbiddenCalls(): Promise<Judged>;
}

/** Memory of waiting containers: one or two, as a worker has them. */
const poolBytes = 100_663_296;

/** Everything of the arena lies in one folder of its own, which is gone afterwards. */
export async function openArena(engine: TestEngine, runtime: Runtime = 'runc'): Promise<Arena> {
  const home = makeHome();
  const recorder = engine.state.available ? await startRecorder(engine.dockerHost) : null;
  // The recorder's own socket lies in the old place; from here on whatever the drivers leave shows in the new one.
  home.enter();
  const canaries = plantCanaries(home.outside);
  const workerId = `attacks-${process.pid}`;
  const given: DockerDriverOptions = {
    ...{ dockerHost: recorder?.host ?? engine.dockerHost, socketFolder: home.sockets, images: engine.images, workerId, poolBytes },
    runtimes: { usual: runtime, byTier: {} },
  };
  const containers = engine.state.available ? await watchContainers(engine.docker, workerId) : null;
  const own = await ownOf(engine, workerId, home);
  let offered: ReturnType<typeof testRegistry> | null = null;
  const arena: Arena = {
    ...{ engine, recorder, given },
    driver: (profile, changes = {}) => {
      if (profile !== 'js') return dockerDriver({ ...given, ...changes });
      return { ...wasmDriver(), [Symbol.asyncDispose]: async () => {} };
    },
    registry: () => {
      offered ??= offerImages(home, given, own);
      return offered;
    },
    honestRun: honestRunner(),
    watched: (attack, allowRssBytes) => watched({ attack, allowRssBytes, canaries, own, containers }),
    forbiddenCalls: async () => (await recorder?.judge()) ?? { calls: 0, problems: [] },
    [Symbol.asyncDispose]: async () => {
      containers?.[Symbol.dispose]();
      canaries[Symbol.dispose]();
      await (await offered)?.registry?.[Symbol.asyncDispose]();
      await recorder?.[Symbol.asyncDispose]();
      home[Symbol.dispose]();
    },
  };
  try {
    await warmUp(arena);
    return arena;
  } catch (error) {
    await arena[Symbol.asyncDispose]();
    throw error;
  }
}

async function ownOf({ docker, state }: TestEngine, workerId: string, home: Home): Promise<Own> {
  const info = state.available ? ((await docker.info()) as { DockerRootDir: string }) : null;
  return {
    ...{ docker, workerId, folders: [home.sockets, home.scratch] },
    engineFolder: info?.DockerRootDir ?? '/nonexistent',
    helpers: childrenOf(process.pid),
  };
}

/** Starts a registry and tells the drivers that images may come from it. */
async function offerImages(home: Home, given: DockerDriverOptions, own: Own): ReturnType<typeof testRegistry> {
  home.leave();
  const started = await testRegistry();
  home.enter();
  own.helpers = childrenOf(process.pid);
  const runnerFolder = await loadRunnerFolder(testImagesFile);
  const imagePolicy = { registries: [started.registry?.host ?? ''], maxBytes: 50_000_000, maxLayers: 10 };
  Object.assign(given, { imagePolicy, recordFolder: home.records, ...(runnerFolder === undefined ? {} : { runnerFolder }) });
  return started;
}

/** Code is loaded, heaps have grown, and the usual answers are known before anything is measured. */
async function warmUp(arena: Arena): Promise<void> {
  const profiles: Attacked[] = [...(['python', 'node'] as const).filter((one) => arena.given.images[one] !== undefined), 'js'];
  for (const profile of profiles) {
    await using driver = arena.driver(profile);
    for (let i = 0; i < 3; i++) {
      const problems = await arena.honestRun(driver, profile, Limits.parse({}));
      if (problems.length > 0) throw new Error(`an honest submission of profile ${profile} does not run here: ${problems.join('; ')}`);
    }
  }
}
