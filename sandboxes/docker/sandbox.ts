import type { CaseRun, Sandbox, SandboxEnvironment, SandboxOptions, Task } from '../../contracts/sandbox.ts';
import type { RunnerContainer } from './container.ts';
import { engineProblem } from './engine.ts';
import { type ContainerShape, shapeHash } from './hardening.ts';
import type { Clamped } from './limits.ts';
import type { ContainerPool } from './pool.ts';
import { decide, type Observation } from './verdict.ts';

export interface DockerSandboxOptions {
  pool: ContainerPool<RunnerContainer>;
  options: SandboxOptions;
  shape: ContainerShape;
  clamped: Clamped;
  files: readonly { path: string; bytes: Uint8Array }[];
}

/**
 * The sandbox of one evaluation and split. It has at most one container at a time. A container that a case left in
 * doubt (a limit, a crash, a cancelled case, something that could not be cleaned) is never used again; the next case
 * opens a new one.
 */
export class DockerSandbox implements Sandbox {
  readonly environment: SandboxEnvironment;
  readonly #given: DockerSandboxOptions;
  readonly #closing = new AbortController();
  #container: RunnerContainer | null = null;
  #running: Promise<unknown> = Promise.resolve();
  #disposal: Promise<void> | null = null;

  constructor(given: DockerSandboxOptions) {
    this.#given = given;
    const { runtime, imageId } = given.shape;
    this.environment = { driver: 'docker', runtime, imageId, profileSha256: shapeHash(given.shape) };
  }

  /** Opens the first container early, so that an engine that cannot is known before any case. */
  async prepare(): Promise<{ ok: true } | { ok: false; message: string }> {
    const { pool, shape, files, options, clamped } = this.#given;
    if (this.#container?.alive) return { ok: true };
    await this.#drop();
    let problem = '';
    // One that waited may have died in the moment it was taken; the next one is new or was looked at since.
    for (let attempt = 0; attempt < 2; attempt++) {
      const taken = await pool.take(shape);
      if (!taken.ok) return taken;
      this.#container = taken.container;
      try {
        await taken.container.open(files, options.door, clamped.limits);
        return { ok: true };
      } catch (error) {
        await this.#drop();
        problem = engineProblem(error);
      }
    }
    return { ok: false, message: `the sandbox did not take the program: ${problem}` };
  }

  run(task: Task, signal: AbortSignal): Promise<CaseRun> {
    const running = this.#run(task, AbortSignal.any([signal, this.#given.options.signal, this.#closing.signal]));
    this.#running = running;
    return running;
  }

  async #run(task: Task, signal: AbortSignal): Promise<CaseRun> {
    try {
      const first = await this.#attempt(task, signal);
      // What an earlier case left made this one impossible to begin; a fresh container has nothing left over.
      return first === 'unclean' ? await this.#secondAttempt(task, signal) : first;
    } catch (error) {
      await this.#drop();
      return { kind: 'error', message: `the sandbox failed: ${engineProblem(error)}` };
    }
  }

  async #secondAttempt(task: Task, signal: AbortSignal): Promise<CaseRun> {
    const second = await this.#attempt(task, signal);
    return second === 'unclean' ? { kind: 'error', message: 'the sandbox could not start the case' } : second;
  }

  async #attempt(task: Task, signal: AbortSignal): Promise<CaseRun | 'unclean'> {
    if (signal.aborted) return { kind: 'error', message: 'the case was cancelled' };
    const prepared = await this.prepare();
    if (!prepared.ok) return { kind: 'error', message: prepared.message };
    const container = this.#container;
    if (container === null) return { kind: 'error', message: 'the sandbox is closed' };
    const seen = await container.run(task, signal);
    const run = decide(seen, this.#given.clamped);
    if (!mayGoOn(seen, run)) await this.#drop();
    return seen.end.kind === 'result' && seen.end.result.end === 'unclean' && run.kind === 'error' ? 'unclean' : run;
  }

  async #drop(): Promise<void> {
    const container = this.#container;
    this.#container = null;
    if (container !== null) await this.#given.pool.remove(container);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.#drop();
  }
}

/** Only a case that ended in order, with everything of it gone, leaves a container for the next. */
const mayGoOn = (seen: Observation, run: CaseRun): boolean =>
  seen.end.kind === 'result' && seen.end.result.clean && (run.kind === 'answer' || run.kind === 'fault');
