import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../../contracts/json.ts';
import { Limits, type Profile, type Runtime, type SandboxDriver } from '../../../contracts/sandbox.ts';
import { dockerDriver } from '../../../sandboxes/docker/driver.ts';
import type { DockerDriverOptions } from '../../../sandboxes/docker/options.ts';
import { wasmDriver } from '../../../sandboxes/wasm/driver.ts';
import { loadRunnerFolder } from '../../../sandboxes/images/build.ts';
import { type TestEngine, testImagesFile } from '../../setup/docker.ts';
import { childrenOf } from '../../setup/processes.ts';
import { testRegistry } from '../../setup/registry.ts';
import { type Canaries, plantCanaries } from './canaries.ts';
import { type ContainerWatch, watchContainers } from './containers.ts';
import { openDoor } from './door.ts';
import { honest } from './honest.ts';
import { leftBehind, type Own } from './host.ts';
import { shortly } from './judge.ts';
import { watchLoop } from './loop.ts';
import { settledRss } from './memory.ts';
import { type Judged, type Recorder, startRecorder } from './recorder.ts';

export type Attacked = Exclude<Profile, 'image'>;

/** What attacks are carried out in: drivers as a worker has them, canaries around them, and eyes on the host. */
export interface Arena extends AsyncDisposable {
  engine: TestEngine;
  recorder: Recorder | null;
  given: DockerDriverOptions;
  driver(profile: Profile, changes?: Partial<DockerDriverOptions>): SandboxDriver & AsyncDisposable;
  /** A registry on the loopback that the drivers may pull from; started when first asked for. */
  registry(): ReturnType<typeof testRegistry>;
  /** Problems with the next honest submission; the first time for a profile its answer is taken as the usual one. */
  honestRun(driver: SandboxDriver, profile: Attacked, limits: Limits): Promise<string[]>;
  /** Carries out an attack, then looks at everything that must be as before. */
  watched(attack: (note: Note) => Promise<string[]>, allowRssBytes: number): Promise<string[]>;
  /** Calls to the engine that must never be made, of everything so far. */
  forbiddenCalls(): Promise<Judged>;
}

/** Told every text that the attack leaves anywhere, at once, so that nobody has to hold it. */
export type Note = (stored: string) => void;

const mostRssBytes = 33_554_432;
const mostLagMs = 200;
/** Memory of waiting containers: one or two, as a worker has them. */
const poolBytes = 100_663_296;

/** Everything of the arena lies in one folder of its own, which is gone afterwards. */
export async function openArena(engine: TestEngine, runtime: Runtime = 'runc'): Promise<Arena> {
  const home = mkdtempSync(join(tmpdir(), 'attacks-'));
  const before = process.env.TMPDIR;
  const setTemporary = (folder: string | undefined) => {
    if (folder === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = folder;
  };
  const folders = { sockets: join(home, 's'), scratch: join(home, 'scratch'), outside: join(home, 'outside') };
  for (const folder of Object.values(folders)) mkdirSync(folder, { mode: 0o755 });
  const recorder = engine.state.available ? await startRecorder(engine.dockerHost) : null;
  // The recorder's own socket lies in the old place; from here on whatever the drivers leave shows in the new one.
  setTemporary(folders.scratch);
  const canaries = plantCanaries(folders.outside);
  const workerId = `attacks-${process.pid}`;
  const given: DockerDriverOptions = {
    ...{ dockerHost: recorder?.host ?? engine.dockerHost, socketFolder: folders.sockets, images: engine.images, workerId, poolBytes },
    runtimes: { usual: runtime, byTier: {} },
  };
  const containers = engine.state.available ? await watchContainers(engine.docker, workerId) : null;
  const info = engine.state.available ? ((await engine.docker.info()) as { DockerRootDir: string }) : null;
  const own: Own = {
    ...{ docker: engine.docker, workerId, folders: [folders.sockets, folders.scratch] },
    engineFolder: info?.DockerRootDir ?? '/nonexistent',
    helpers: childrenOf(process.pid),
  };
  let offered: ReturnType<typeof testRegistry> | null = null;
  const offer = async () => {
    setTemporary(before);
    const started = await testRegistry();
    setTemporary(folders.scratch);
    own.helpers = childrenOf(process.pid);
    const runnerFolder = await loadRunnerFolder(testImagesFile);
    const imagePolicy = { registries: [started.registry?.host ?? ''], maxBytes: 50_000_000, maxLayers: 10 };
    Object.assign(given, { imagePolicy, recordFolder: join(home, 'records'), ...(runnerFolder === undefined ? {} : { runnerFolder }) });
    return started;
  };
  const arena: Arena = {
    ...{ engine, recorder, given },
    driver: (profile, changes = {}) => {
      if (profile !== 'js') return dockerDriver({ ...given, ...changes });
      return { ...wasmDriver(), [Symbol.asyncDispose]: async () => {} };
    },
    registry: () => {
      offered ??= offer();
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
      setTemporary(before);
      rmSync(home, { recursive: true, force: true });
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

function honestRunner(): Arena['honestRun'] {
  const usual = new Map<Attacked, { answer: Json; log: string }>();
  return async (driver, profile, limits) => {
    const { source, input } = honest[profile];
    await using gateway = await openDoor('honest');
    const language = profile === 'python' ? 'python' : 'javascript';
    const signal = AbortSignal.timeout(30_000);
    const roomy = {
      ...limits,
      wallMs: 10_000,
      cpuMs: 5_000,
      outputBytes: 16_384,
      answerBytes: 65_536,
      processes: Math.max(limits.processes, 16),
    };
    const opened = await driver.open({
      ...{ id: 'honest', profile, signal },
      program: { language, source },
      limits: roomy,
      door: gateway.door,
    });
    if (!opened.ok) return [`the next honest submission did not open: ${opened.message}`];
    await using sandbox = opened.sandbox;
    const run = await sandbox.run({ id: 'honest', input, target: 'keeper' }, signal);
    if (run.kind !== 'answer') return [`the next honest submission ended as ${shortly(run)}`];
    const kept = { answer: run.answer, log: run.log };
    const before = usual.get(profile);
    if (before === undefined) usual.set(profile, kept);
    const same = before === undefined || isDeepStrictEqual(before, kept);
    return same ? [] : [`the next honest submission gave another answer: ${JSON.stringify(kept)} instead of ${JSON.stringify(before)}`];
  };
}

interface Watched {
  attack(note: Note): Promise<string[]>;
  allowRssBytes: number;
  canaries: Canaries;
  own: Own;
  containers: ContainerWatch | null;
}

async function watched({ attack, allowRssBytes, canaries, own, containers }: Watched): Promise<string[]> {
  const known = new Set(containers?.seen().map(({ id }) => id));
  const rssBefore = settledRss();
  const loop = watchLoop();
  const leaked = new Set<string>();
  const problems = await attack((text) => {
    for (const name of canaries.leakedIn(text)) leaked.add(name);
  });
  const { ownMs, wholeMs, peakRssBytes } = loop.stop();
  if (ownMs > mostLagMs)
    problems.push(`the event loop stood still for ${Math.round(ownMs)} ms by its own doing (${Math.round(wholeMs)} in all)`);
  const [grown, peak] = [settledRss() - rssBefore, peakRssBytes - rssBefore];
  if (grown > mostRssBytes) problems.push(`the worker grew by ${mebibytes(grown)}`);
  if (peak > mostRssBytes + allowRssBytes) problems.push(`the worker held ${mebibytes(peak)} more while it ran`);
  problems.push(...(await leftBehind(own, containers?.seen().filter(({ id }) => !known.has(id)) ?? [])));
  problems.push(...canaries.touched(), ...[...leaked].map((name) => `the secret "${name}" came out`));
  return problems;
}

const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;
