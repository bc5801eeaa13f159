import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import type { Limits, ModelDoor, Task } from '../../contracts/sandbox.ts';
import { attach } from './attach.ts';
import { converse } from './conversation.ts';
import { type Engine, engineProblem, within } from './engine.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { type ContainerNames, type ContainerShape, createBody, memoryBytes, settingsOf } from './hardening.ts';
import { type Counters, type Meter, meterOf, noCounters } from './meter.ts';
import { buildImages } from './probe.ts';
import { removeContainer } from './remove.ts';
import { runtimeProfiles } from './runtimes.ts';
import { FromRunner, maxFrameBytes, type RunnerResult, type ToRunner } from './runner-protocol.ts';
import { makeSocketFolder, type SocketFolder } from './socket-folder.ts';
import type { CaseEnd, Observation } from './verdict.ts';

/** Share of its memory that a container must have been seen to use for its end by SIGKILL to be that of memory. */
const nearlyAll = 0.85;
/** From start to the runner's first frame, and from the program to the runner's word that it is there. */
const readyMs = 20_000;

export type Started = { ok: true; container: RunnerContainer } | { ok: false; message: string };

/** Creates and starts one container up to the point where it waits for a program. On failure nothing is left behind. */
export async function startContainer(engine: Engine, shape: ContainerShape, names: Omit<ContainerNames, 'socketFolder'>): Promise<Started> {
  const made = await makeSocketFolder(names.place);
  if (!made.ok) return made;
  let created: Docker.Container;
  try {
    const body = createBody(shape, { ...names, socketFolder: made.folder.path });
    // Told apart, or dockerode says the whole body a second time in the query.
    const call: object = { _query: {}, _body: body };
    created = await within(engine.timeoutMs, 'create a container', engine.docker.createContainer(call));
  } catch (error) {
    await made.folder[Symbol.asyncDispose]();
    const advice = (error as { statusCode?: number }).statusCode === 404 ? `. ${buildImages}` : '';
    return { ok: false, message: `the engine refused the sandbox: ${engineProblem(error).trim()}${advice}` };
  }
  const container = new RunnerContainer(engine, created, shape, names.uid, made.folder);
  try {
    await container.start();
    return { ok: true, container };
  } catch (error) {
    const message = `the sandbox did not start: ${engineProblem(error)}`;
    // What cannot be removed now is the reaper's; the reason why it did not start stays the first.
    const removal = await container[Symbol.asyncDispose]().then(
      () => '',
      (problem: unknown) => `; nor could it be removed: ${engineProblem(problem)}`,
    );
    return { ok: false, message: message + removal };
  }
}

/** How a container came to its end without being told to, as the engine tells it afterwards. */
interface Exit {
  by: 'program' | 'platform';
  oomKilled: boolean;
  /** Null while it runs, and when the engine does not say. */
  code: number | null;
  problem?: string;
}

/**
 * One running container and the conversation with its runner. Usable for one case after another until something ends
 * it; then only disposal is left. Disposal kills and removes; it may be called at any time and more than once.
 */
export class RunnerContainer implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #container: Docker.Container;
  readonly #shape: ContainerShape;
  readonly #folder: SocketFolder;
  readonly #nonce = randomBytes(32).toString('hex');
  readonly #frames: FrameReader;
  readonly #warm = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<{ detail: string; brokeProtocol: boolean }>();
  readonly startedAt = performance.now();
  readonly uid: number;
  #limits: Limits;
  #alive = true;
  #stream: Duplex | null = null;
  #meter: Meter | null = null;
  #seq = 0;
  /** The counters at the end of the last case. */
  #counted: Counters | null = null;
  #awaited: { seq: number; resolve(result: RunnerResult): void } | null = null;
  #removal: Promise<void> | null = null;
  readonly #removed = Promise.withResolvers<void>();

  constructor(engine: Engine, container: Docker.Container, shape: ContainerShape, uid: number, folder: SocketFolder) {
    this.uid = uid;
    this.#engine = engine;
    this.#container = container;
    this.#shape = shape;
    this.#limits = shape.limits;
    this.#folder = folder;
    this.#frames = new FrameReader({
      maxFrameBytes: maxFrameBytes(shape.limits),
      onFrame: (body) => this.#onFrame(body),
      onProblem: (problem) => this.#end(problem, true),
    });
  }

  get id(): string {
    return this.#container.id;
  }

  /** Resolves once removal was tried, whether the engine did it or not: from then on the reaper may have it. */
  get removed(): Promise<void> {
    return this.#removed.promise;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Of the evaluation that has the container: clocks are not part of its shape, so they come with the program. */
  get limits(): Limits {
    return this.#limits;
  }

  async start(): Promise<void> {
    const { timeoutMs } = this.#engine;
    const stream = await within(timeoutMs, 'attach', attach(this.#engine, this.id));
    this.#stream = stream;
    // Reading never pauses: an attached stream that is not read makes the engine's kill wait for it.
    stream.on('data', (chunk: Buffer) => this.#frames.push(chunk));
    stream.on('error', (error: Error) => this.#end(`the connection to it broke: ${error.message}`, false));
    stream.on('end', () => this.#end('it ended', false));
    stream.on('close', () => this.#end('the connection to it was closed', false));
    await within(timeoutMs, 'start the container', this.#container.start());
    this.send({ type: 'hello', nonce: this.#nonce, ...settingsOf(this.#shape, this.uid) });
    await this.#answered(this.#warm.promise);
    this.#meter = meterOf(this.#container, timeoutMs, runtimeProfiles[this.#shape.runtime].pollMs);
  }

  /** Hands over the program and opens its only way out. From here on the container belongs to one evaluation. */
  async open(files: readonly { path: string; bytes: Uint8Array }[], door: ModelDoor, limits: Limits): Promise<void> {
    this.#limits = limits;
    await this.#folder.serve(door);
    const encoded = files.map(({ path, bytes }) => ({ path, data: Buffer.from(bytes).toString('base64') }));
    this.send({ type: 'open', files: encoded });
    await this.#answered(this.#ready.promise);
  }

  async #answered(sign: Promise<void>): Promise<void> {
    const died = this.#ended.promise.then(({ detail }) => {
      throw new Error(detail);
    });
    await within(readyMs, 'get a sign of life from the sandbox', Promise.race([sign, died]));
  }

  /** Runs one case and tells what was seen of it. Any end but a clean answer or fault leaves the container unusable. */
  async run(task: Task, signal: AbortSignal): Promise<Observation> {
    // A process that cases share runs on between them: what it used then is part of the next case.
    const before = this.#shape.cases === 'shared' ? (this.#counted ?? (await this.count())) : await this.count();
    const startedAt = performance.now();
    const { end, last } = await converse(this, task, before, signal);
    const wallMs = performance.now() - startedAt;
    const after = await this.count();
    this.#counted = after;
    const exit = (!this.#alive || end.kind === 'overdue') && end.kind !== 'cancelled' ? await this.#exit() : null;
    const latest = after.cpuMs === null ? last : after;
    const cpuMs = latest.cpuMs === null ? null : latest.cpuMs - (before.cpuMs ?? 0);
    // gVisor's kernel is killed with its container, the counter that would tell goes with it, and the engine misses one
    // such end in ten (measured): then what it held when last looked at decides.
    const wasFull = exit?.code === 137 && (latest.memoryBytes ?? 0) > nearlyAll * memoryBytes(this.#shape);
    const oomKilled = grew(before.oomKills, latest.oomKills) || exit?.oomKilled === true || wasFull;
    return { end: blamed(end, exit), wallMs, cpuMs, oomKilled, tasksRefused: grew(before.refusedTasks, after.refusedTasks) };
  }

  /** Sends one case; resolves with the runner's result or with how the container ended first. */
  async exchange(task: Task): Promise<CaseEnd> {
    const result = Promise.withResolvers<RunnerResult>();
    const seq = ++this.#seq;
    this.#awaited = { seq, resolve: result.resolve };
    this.send({ type: 'case', seq, task, wallMs: this.#limits.wallMs });
    return await Promise.race([
      result.promise.then((one): CaseEnd => ({ kind: 'result', result: one })),
      this.#ended.promise.then(
        ({ detail, brokeProtocol }): CaseEnd => ({ kind: 'ended', by: brokeProtocol ? 'program' : 'platform', detail }),
      ),
    ]);
  }

  stopAwaiting(): void {
    this.#awaited = null;
  }

  get pollMs(): number | null {
    return this.#meter?.pollMs ?? null;
  }

  async count(): Promise<Counters> {
    return (await this.#meter?.read()) ?? noCounters;
  }

  /**
   * Who ended a container that is no longer there. A runner that the program brought down exits by itself with an error;
   * one whose worker or engine went away ends with 0, and one that somebody killed from outside with SIGKILL.
   */
  async #exit(): Promise<Exit> {
    try {
      const { State } = await within(this.#engine.timeoutMs, 'inspect', this.#container.inspect());
      const itself = !State.Running && State.ExitCode !== 0 && State.ExitCode !== 137;
      return { by: itself ? 'program' : 'platform', oomKilled: State.OOMKilled, code: State.Running ? null : State.ExitCode };
    } catch (error) {
      // An engine that cannot say what happened is our problem whatever happened.
      return { by: 'platform', oomKilled: false, code: null, problem: engineProblem(error) };
    }
  }

  #onFrame(body: Buffer): void {
    const parsed = FromRunner.safeParse(parseFrame(body));
    const frame = parsed.data;
    if (frame === undefined) this.#end('it sent a frame that is none of the protocol', true);
    else if (frame.nonce !== this.#nonce) this.#end('it sent a frame with a wrong nonce', true);
    else if (frame.type === 'warm') this.#warm.resolve();
    else if (frame.type === 'ready') this.#ready.resolve();
    // A result that comes after its case was given up is late, not wrong.
    else if (frame.seq === this.#awaited?.seq) this.#awaited.resolve(frame);
  }

  send(frame: ToRunner): void {
    if (this.#alive) this.#stream?.write(encodeFrame(frame));
  }

  #end(detail: string, brokeProtocol: boolean): void {
    if (!this.#alive) return;
    this.#alive = false;
    const said = this.#frames.stderr;
    this.#ended.resolve({ detail: said === '' ? detail : `${detail}; its runner said: ${said.slice(-1000)}`, brokeProtocol });
    this.#destroyStream();
  }

  #destroyStream(): void {
    this.#stream?.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#removal ??= this.#remove();
    return this.#removal;
  }

  async #remove(): Promise<void> {
    // The stream first: the engine's kill waits for a reader of what is still in it.
    this.#end('it was closed', false);
    this.#meter?.[Symbol.dispose]();
    this.#meter = null;
    try {
      await removeContainer(this.#container, this.#engine.timeoutMs);
    } finally {
      this.#removed.resolve();
      await this.#folder[Symbol.asyncDispose]();
    }
  }
}

/** Corrects who is to blame for the end of a case by what the engine says about its container. */
function blamed(end: CaseEnd, exit: Exit | null): CaseEnd {
  // A case that is overdue while the engine does not answer may have answered long ago, in a stream that stands still.
  if (end.kind === 'overdue' && exit?.problem !== undefined) return { kind: 'ended', by: 'platform', detail: exit.problem };
  if (end.kind !== 'ended' || end.by === 'program' || exit === null) return end;
  if (exit.by === 'platform') return { ...end, detail: `${end.detail} (${exit.problem ?? `exit code ${exit.code ?? 'none, it runs'}`})` };
  return { ...end, by: 'program', detail: `its runner ended with exit code ${exit.code}` };
}

const grew = (before: number | null, after: number | null): boolean => before !== null && after !== null && after > before;

function parseFrame(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}
