import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Limits, Task } from '../../contracts/sandbox.ts';
import { engineProblem, within } from './engine.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { type ContainerSpec, createBody, heapMegabytes } from './hardening.ts';
import { type Counters, type Meter, meterOf } from './meter.ts';
import { FromRunner, maxFrameBytes, type RunnerResult, type ToRunner } from './runner-protocol.ts';
import type { CaseEnd, Observation } from './verdict.ts';

const engineMs = 30_000;
/** From start to the runner's first frame. */
const readyMs = 20_000;
/** After the limit of a case: the time in which the runner must have stopped it, before the container is killed. */
const stopMs = 1_000;

export type Started = { ok: true; container: RunnerContainer } | { ok: false; message: string };

/** Creates and starts one container and hands the program to its runner. On failure nothing is left behind. */
export async function startContainer(docker: Docker, spec: ContainerSpec, source: string): Promise<Started> {
  let created: Docker.Container;
  try {
    created = await within(engineMs, 'create a container', docker.createContainer(createBody(spec)));
  } catch (error) {
    return { ok: false, message: `the engine refused the sandbox: ${engineProblem(error)}` };
  }
  const container = new RunnerContainer(created, spec.limits);
  try {
    await container.start(source);
    return { ok: true, container };
  } catch (error) {
    await container[Symbol.asyncDispose]();
    return { ok: false, message: `the sandbox did not start: ${engineProblem(error)}` };
  }
}

/**
 * One running container and the conversation with its runner. Usable for one case after another until something ends
 * it; then only disposal is left. Disposal kills and removes; it may be called at any time and more than once.
 */
export class RunnerContainer implements AsyncDisposable {
  readonly #container: Docker.Container;
  readonly #limits: Limits;
  readonly #nonce = randomBytes(32).toString('hex');
  readonly #frames: FrameReader;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<string>();
  #alive = true;
  #stream: NodeJS.ReadWriteStream | null = null;
  #meter: Meter | null = null;
  #seq = 0;
  #awaited: { seq: number; resolve(result: RunnerResult): void } | null = null;
  #removal: Promise<void> | null = null;

  constructor(container: Docker.Container, limits: Limits) {
    this.#container = container;
    this.#limits = limits;
    this.#frames = new FrameReader({
      maxFrameBytes: maxFrameBytes(limits),
      onFrame: (body) => this.#onFrame(body),
      onProblem: (problem) => this.#end(problem),
    });
  }

  get id(): string {
    return this.#container.id;
  }

  get alive(): boolean {
    return this.#alive;
  }

  async start(source: string): Promise<void> {
    const { outputBytes, answerBytes } = this.#limits;
    const attach = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true };
    const stream = await within(engineMs, 'attach', this.#container.attach(attach));
    this.#stream = stream;
    // Reading never pauses: an attached stream that is not read makes the engine's kill wait for it.
    stream.on('data', (chunk: Buffer) => this.#frames.push(chunk));
    stream.on('error', (error: Error) => this.#end(`the connection to it broke: ${error.message}`));
    stream.on('end', () => this.#end('it ended'));
    stream.on('close', () => this.#end('the connection to it was closed'));
    await within(engineMs, 'start the container', this.#container.start());
    this.#meter = await meterOf(this.#container);
    const heap = heapMegabytes(this.#limits);
    this.#send({ type: 'open', nonce: this.#nonce, source, outputBytes, answerBytes, heapMegabytes: heap });
    const died = this.#ended.promise.then((detail) => {
      throw new Error(detail);
    });
    await within(readyMs, 'get a sign of life from the sandbox', Promise.race([this.#ready.promise, died]));
  }

  /** Runs one case and tells what was seen of it. Any end but a clean answer or fault leaves the container unusable. */
  async run(task: Task, signal: AbortSignal): Promise<Observation> {
    const before = await this.#count();
    const startedAt = performance.now();
    const end = await this.#converse(task, before, signal);
    const wallMs = performance.now() - startedAt;
    const after = await this.#count();
    const oomKilled = grew(before.oomKills, after.oomKills) || (!this.#alive && end.kind !== 'cancelled' && (await this.#wasOomKilled()));
    const cpuMs = after.cpuMs === null ? this.#lastCpuMs : after.cpuMs - (before.cpuMs ?? 0);
    return { end, wallMs, cpuMs, oomKilled, tasksRefused: grew(before.refusedTasks, after.refusedTasks) };
  }

  /** Processor time of the case at the last look; what is left when the container is gone and its counters with it. */
  #lastCpuMs: number | null = null;

  async #converse(task: Task, before: Counters, signal: AbortSignal): Promise<CaseEnd> {
    const outcome = Promise.withResolvers<CaseEnd>();
    const seq = ++this.#seq;
    this.#awaited = { seq, resolve: (result) => outcome.resolve({ kind: 'result', result }) };
    const cancel = () => outcome.resolve({ kind: 'cancelled' });
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    this.#ended.promise.then((detail) => outcome.resolve({ kind: 'ended', detail }), cancel);
    const overdue = setTimeout(() => outcome.resolve({ kind: 'overdue' }), this.#limits.wallMs + stopMs);
    const watching = new AbortController();
    const watched = this.#watch(before, watching.signal, () => outcome.resolve({ kind: 'overdue' })).catch((error: unknown) =>
      outcome.resolve({ kind: 'ended', detail: `its counters cannot be read: ${engineProblem(error)}` }),
    );
    try {
      this.#send({ type: 'case', seq, task, wallMs: this.#limits.wallMs });
      return await outcome.promise;
    } finally {
      clearTimeout(overdue);
      watching.abort();
      signal.removeEventListener('abort', cancel);
      this.#awaited = null;
      await watched;
    }
  }

  /** Tells the runner to stop the case as soon as a limit is seen to be met, and gives up when it does not. */
  async #watch(before: Counters, signal: AbortSignal, giveUp: () => void): Promise<void> {
    const meter = this.#meter;
    this.#lastCpuMs = null;
    if (meter === null || before.cpuMs === null) return;
    while (await passed(meter.pollMs, signal)) {
      const now = await this.#count();
      if (now.cpuMs !== null) this.#lastCpuMs = now.cpuMs - before.cpuMs;
      const overCpu = this.#lastCpuMs !== null && this.#lastCpuMs > this.#limits.cpuMs;
      if (!overCpu && !grew(before.oomKills, now.oomKills) && !grew(before.refusedTasks, now.refusedTasks)) continue;
      this.#send({ type: 'stop' });
      if (await passed(stopMs, signal)) giveUp();
      return;
    }
  }

  async #count(): Promise<Counters> {
    return (await this.#meter?.read()) ?? { cpuMs: null, oomKills: null, refusedTasks: null };
  }

  async #wasOomKilled(): Promise<boolean> {
    const info = await within(engineMs, 'inspect', this.#container.inspect());
    return info.State.OOMKilled;
  }

  #onFrame(body: Buffer): void {
    const parsed = FromRunner.safeParse(parseFrame(body));
    const frame = parsed.data;
    if (frame === undefined) this.#end('it sent a frame that is none of the protocol');
    else if (frame.nonce !== this.#nonce) this.#end('it sent a frame with a wrong nonce');
    else if (frame.type === 'ready') this.#ready.resolve();
    // A result that comes after its case was given up is late, not wrong.
    else if (frame.seq === this.#awaited?.seq) this.#awaited.resolve(frame);
  }

  #send(frame: ToRunner): void {
    if (this.#alive) this.#stream?.write(encodeFrame(frame));
  }

  #end(detail: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    const said = this.#frames.stderr;
    this.#ended.resolve(said === '' ? detail : `${detail}; its runner said: ${said.slice(-1000)}`);
    this.#destroyStream();
  }

  #destroyStream(): void {
    const stream = this.#stream;
    if (stream !== null && 'destroy' in stream && typeof stream.destroy === 'function') stream.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#removal ??= this.#remove();
    return this.#removal;
  }

  async #remove(): Promise<void> {
    // The stream first: the engine's kill waits for a reader of what is still in it.
    this.#end('it was closed');
    await removeContainer(this.#container);
  }
}

/** Pauses before a removal is tried again, in milliseconds. */
const removalPausesMs = [20, 50, 100, 200, 400, 800, 1_600];

/**
 * Kills and removes a container with its anonymous volumes; one that is gone already is fine. An engine that is still
 * writing down how the container ended answers 500 ("directory not empty") or 409 ("removal in progress"): measured
 * on Engine 20.10, most often when a container dies by itself while it is removed. The next try then succeeds.
 */
export async function removeContainer(container: Docker.Container): Promise<void> {
  for (const pauseMs of [...removalPausesMs, null]) {
    try {
      return await within(engineMs, 'remove a container', container.remove({ force: true, v: true }));
    } catch (error) {
      const { statusCode } = error as { statusCode?: number };
      if (statusCode === 404) return;
      if (pauseMs === null || (statusCode !== 409 && statusCode !== 500)) throw error;
      await pause(pauseMs);
    }
  }
}

const grew = (before: number | null, after: number | null): boolean => before !== null && after !== null && after > before;

/** True after `ms`, false as soon as the signal aborts. */
function passed(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const stop = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve(true);
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

function parseFrame(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}
