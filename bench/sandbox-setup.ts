import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { type CaseRun, Limits, type Runtime, type Sandbox, type SandboxOptions } from '../contracts/sandbox.ts';
import { fakeDoor } from '../sandboxes/conformance-door.ts';
import { type DockerDriver, dockerDriver } from '../sandboxes/docker/driver.ts';
import { type ContainerShape, createBody, labels, freeSlotUid } from '../sandboxes/docker/hardening.ts';
import type { DockerDriverOptions } from '../sandboxes/docker/options.ts';
import { testEngine } from '../test/setup/docker.ts';

/** What the parts of the sandbox bench share: an engine, drivers on it, the engine's own work as the floor, figures. */
export interface BenchSetup extends AsyncDisposable {
  docker: Docker;
  dockerHost: string;
  images: { python: string; node: string };
  socketFolder: string;
  /** A driver of its own worker; the caller disposes. */
  driver(more?: Partial<DockerDriverOptions>): DockerDriver & { workerId: string };
  /** Creates a container with the body that the driver would use; starts nothing. */
  create(runtime?: Runtime): Promise<Docker.Container>;
}

/** One line of the result. A ratio compares with a floor that was measured in the same run. */
export interface Row {
  part: string;
  what: string;
  value: number;
  unit: 'ms' | '/s' | 'x' | 'MiB' | '';
  target?: { most: number } | { least: number };
}

export const limits = Limits.parse({});
export const mebibyte = 1_048_576;
const hourMs = 3_600_000;

export async function benchSetup(): Promise<BenchSetup> {
  const engine = await testEngine();
  if (!engine.state.available) throw new Error(`this bench needs a Docker engine: ${engine.state.reason}`);
  const { python, node } = engine.images;
  if (python === undefined || node === undefined) throw new Error('this bench needs both sandbox images');
  const socketFolder = await mkdtemp(join(tmpdir(), 'bench-'));
  const mounted = join(socketFolder, 'raw');
  await mkdir(mounted);
  const shape: ContainerShape = { profile: 'python', imageId: python, runtime: 'runc', limits, cases: 'independent', program: 'small' };
  return {
    docker: engine.docker,
    dockerHost: engine.dockerHost,
    images: { python, node },
    socketFolder,
    driver: (more = {}) => {
      const workerId = `bench-${randomBytes(4).toString('hex')}`;
      const onProblem = (message: string) => console.error(`problem: ${message}`);
      const given = { dockerHost: engine.dockerHost, socketFolder, images: engine.images, workerId, onProblem, ...more };
      return Object.assign(dockerDriver(given), { workerId });
    },
    create: (runtime = 'runc') => {
      const names = {
        containerId: 'raw',
        uid: freeSlotUid(new Set()),
        workerId: 'bench-raw',
        place: '',
        socketFolder: mounted,
        deadlineAt: Date.now() + hourMs,
      };
      return engine.docker.createContainer(createBody({ ...shape, runtime }, names));
    },
    [Symbol.asyncDispose]: async () => {
      const filters = { label: [`${labels.worker}=bench-raw`] };
      for (const { Id } of await engine.docker.listContainers({ all: true, filters })) {
        await engine.docker.getContainer(Id).remove({ force: true, v: true });
      }
      await rm(socketFolder, { recursive: true, force: true });
    },
  };
}

export const never = new AbortController().signal;

/** Opens a sandbox as an evaluation does; fails with the driver's message. */
export async function openSandbox(driver: DockerDriver, source: string, more: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const language = more.profile === 'node' ? ('javascript' as const) : ('python' as const);
  const usual = { id: 'bench', profile: 'python' as const, program: { language, source }, limits, door: fakeDoor(), signal: never };
  const opened = await driver.open({ ...usual, ...more });
  if (!opened.ok) throw new Error(opened.message);
  return opened.sandbox;
}

export const runCase = (sandbox: Sandbox, id = 'case'): Promise<CaseRun> => sandbox.run({ id, input: null, target: 'bench' }, never);

/** The answer of a case that must give one. */
export function answered(run: CaseRun): unknown {
  if (run.kind !== 'answer') throw new Error(`a case of the bench ended as ${run.kind}: ${run.message}`);
  return run.answer;
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Milliseconds that something takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Does `count` pieces of work, `parallel` at a time; gives pieces per second. */
export async function rate(count: number, parallel: number, work: () => Promise<unknown>): Promise<number> {
  let left = count;
  const one = async () => {
    while (left-- > 0) await work();
  };
  const ms = await timed(() => Promise.all(Array.from({ length: parallel }, one)));
  return count / (ms / 1000);
}
