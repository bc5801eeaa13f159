import type Docker from 'dockerode';
import type { CaseRun, Sandbox, SandboxOptions, Task } from '../../contracts/sandbox.ts';
import { type RunnerContainer, startContainer } from './container.ts';
import { engineProblem } from './engine.ts';
import type { ContainerSpec } from './hardening.ts';
import { decide, type Observation } from './verdict.ts';

/** Longest life of one container; after it any worker may remove it. A case lasts ten minutes at most. */
const containerLifeMs = 6 * 3_600_000;

export interface DockerSandboxOptions {
  docker: Docker;
  options: SandboxOptions;
  spec: Omit<ContainerSpec, 'deadlineAt'>;
  /** Where the gateway listens; disposed after the last container. */
  gateway: AsyncDisposable;
}

/**
 * The sandbox of one evaluation and split. It has at most one container at a time. A container that a case left in
 * doubt (a limit, a crash, a cancelled case, something that could not be cleaned) is never used again; the next case
 * opens a new one.
 */
export class DockerSandbox implements Sandbox {
  readonly #given: DockerSandboxOptions;
  readonly #closing = new AbortController();
  #container: RunnerContainer | null = null;
  #running: Promise<unknown> = Promise.resolve();
  #disposal: Promise<void> | null = null;

  constructor(given: DockerSandboxOptions) {
    this.#given = given;
  }

  /** Opens the first container early, so that an engine that cannot is known before any case. */
  async prepare(): Promise<{ ok: true } | { ok: false; message: string }> {
    const { docker, spec, options } = this.#given;
    if (this.#container?.alive) return { ok: true };
    await this.#drop();
    const started = await startContainer(docker, { ...spec, deadlineAt: Date.now() + containerLifeMs }, options.program.source);
    if (!started.ok) return started;
    this.#container = started.container;
    return { ok: true };
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
    const run = decide(seen, this.#given.options.limits);
    if (!mayGoOn(seen, run)) await this.#drop();
    return seen.end.kind === 'result' && seen.end.result.end === 'unclean' && run.kind === 'error' ? 'unclean' : run;
  }

  async #drop(): Promise<void> {
    const container = this.#container;
    this.#container = null;
    await container?.[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    this.#closing.abort();
    try {
      await this.#running;
      await this.#drop();
    } finally {
      await this.#given.gateway[Symbol.asyncDispose]();
    }
  }
}

/** Only a case that ended in order, with everything of it gone, leaves a container for the next. */
const mayGoOn = (seen: Observation, run: CaseRun): boolean =>
  seen.end.kind === 'result' && seen.end.result.clean && (run.kind === 'answer' || run.kind === 'fault');
