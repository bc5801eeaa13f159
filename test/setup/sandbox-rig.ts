import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import type { CaseRun, Opened, Sandbox, SandboxOptions, Task } from '../../contracts/sandbox.ts';
import { fakeDoor } from '../../sandboxes/conformance-door.ts';
import { conformanceLimits } from '../../sandboxes/conformance.ts';
import { type DockerDriver, dockerDriver } from '../../sandboxes/docker/driver.ts';
import { engineAt, within } from '../../sandboxes/docker/engine.ts';
import { labels } from '../../sandboxes/docker/hardening.ts';
import type { DockerDriverOptions } from '../../sandboxes/docker/options.ts';
import { placeOf } from '../../sandboxes/docker/presence.ts';
import { reapAbandoned } from '../../sandboxes/docker/reap.ts';
import type { TestEngine } from './docker.ts';
import { type EngineProxy, startEngineProxy } from './engine-proxy.ts';

/** How long one engine call may take in these tests; everything that meets a silent engine ends soon after. */
export const engineTimeoutMs = 2_000;

/** A docker driver whose engine can be made to fail, and the means to see what it left behind. */
export interface SandboxRig extends AsyncDisposable {
  proxy: EngineProxy;
  driver: DockerDriver;
  given: DockerDriverOptions;
  /** What the driver said through `onProblem`. */
  problems: string[];
  /** Opens a sandbox for a Python program; whatever the engine does, the answer comes in bounded time. */
  open(source: string, more?: Partial<SandboxOptions>): Promise<Opened>;
  /** Containers of this worker, asked from the real engine. */
  containers(): Promise<Docker.ContainerInfo[]>;
  /** Containers of this worker, control groups of any it ever had, and sockets; empty when all is released. */
  leftovers(): Promise<string[]>;
  /** Clears at once what another worker's reaper would clear of this one after its death. */
  reap(): Promise<string[]>;
}

let rigs = 0;

/** @param more driver options; a `socketFolder` given here is the caller's to remove */
export async function sandboxRig(engine: TestEngine, more: Partial<DockerDriverOptions> = {}): Promise<SandboxRig> {
  const proxy = await startEngineProxy({ engineHost: engine.dockerHost });
  const own = more.socketFolder === undefined ? await mkdtemp(join(tmpdir(), 'rig-')) : null;
  const problems: string[] = [];
  const given: DockerDriverOptions = {
    dockerHost: proxy.host,
    socketFolder: own ?? '',
    images: engine.images,
    workerId: `rig-${process.pid}-${++rigs}`,
    engineTimeoutMs,
    onProblem: (message) => problems.push(message),
    ...more,
  };
  const driver = dockerDriver(given);
  const seen = new Set<string>();
  const containers = async () => {
    const filters = { label: [`${labels.worker}=${given.workerId}`] };
    const found = await engine.docker.listContainers({ all: true, filters });
    for (const { Id } of found) seen.add(Id);
    return found;
  };
  const leftovers = async () => {
    for (const { path } of proxy.calls()) {
      const id = /^\/containers\/([0-9a-f]{64})/.exec(path)?.[1];
      if (id !== undefined) seen.add(id);
    }
    const found = (await containers()).map(({ Id, State }) => `container ${Id} (${State})`);
    return [...found, ...[...seen].flatMap(controlGroups), ...sockets(given)];
  };
  const reap = async () => {
    const found = engineAt(engine.dockerHost);
    if (!found.ok) throw new Error(found.problem);
    const { socketFolder } = given;
    const clocks = { firstSeen: new Map<string, number>(), patienceMs: 60_000, now: Date.now(), onProblem: () => {} };
    return await reapAbandoned({ engine: found, workerId: 'another', socketFolder, isMine: () => true, ...clocks });
  };
  const open: SandboxRig['open'] = async (source, options) => {
    const shape = {
      id: 'rig',
      profile: 'python' as const,
      limits: conformanceLimits,
      door: fakeDoor(),
      signal: new AbortController().signal,
    };
    // Several engine calls may run out of time one after the other: create, then remove.
    return await bounded('open', driver.open({ ...shape, program: { language: 'python', source }, ...options }));
  };
  const dispose = async () => {
    await proxy.heal();
    await driver[Symbol.asyncDispose]();
    if (own !== null) {
      await reap();
      await rm(own, { recursive: true, force: true });
    }
    await proxy[Symbol.asyncDispose]();
  };
  return { proxy, driver, given, problems, open, containers, leftovers, reap, [Symbol.asyncDispose]: dispose };
}

/** Fails when the driver is stuck. The bound leaves room for three engine calls that run out of time, and a busy machine. */
export const bounded = <T>(what: string, work: Promise<T>): Promise<T> => within(engineTimeoutMs * 3 + 4_000, what, work);

/** The opened sandbox; fails with the driver's own message. */
export function sandboxOf(opened: Opened): Sandbox {
  if (!opened.ok) throw new Error(opened.message);
  return opened.sandbox;
}

/** Runs one case, in bounded time. */
export const runOne = (sandbox: Sandbox, input: Task['input'] = null): Promise<CaseRun> =>
  bounded('run a case', sandbox.run({ id: 'case', input, target: 'keeper' }, new AbortController().signal));

/** Control groups of a container, in either version's layout, with the engine's own naming. */
function controlGroups(id: string): string[] {
  const mounted = '/sys/fs/cgroup';
  if (!existsSync(mounted)) return [];
  const controllers = readdirSync(mounted, { withFileTypes: true }).filter((one) => one.isDirectory());
  const paths = [mounted, ...controllers.map(({ name }) => join(mounted, name))].map((at) => join(at, 'docker', id));
  return paths.filter(existsSync).map((path) => `control group ${path}`);
}

/** Folders of containers in the worker's place, and of places that nobody holds. */
function sockets({ socketFolder, workerId }: DockerDriverOptions): string[] {
  const place = placeOf(socketFolder, workerId);
  if (!existsSync(place)) return [];
  return readdirSync(place).flatMap((name) => (name === 'alive' ? [] : [`socket folder ${join(place, name)}`]));
}
