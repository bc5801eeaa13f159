import { performance } from 'node:perf_hooks';
import type { Availability, CaseRun, Opened, Profile, Sandbox, SandboxDriver, SandboxOptions, Task } from '../../contracts/sandbox.ts';
import { type Child, startChild } from './child-process.ts';
import { frameBytes } from './frames.ts';
import { runCase } from './run-case.ts';

/*
 * Theory of operation.
 *
 * Submitted JavaScript runs in QuickJS, QuickJS runs in WebAssembly, WebAssembly runs in a child Node process, and the
 * worker watches that process from outside. Each wall is there for what the one inside it cannot hold:
 *
 * - QuickJS has no host object: the program sees the language, `console` and `target.chat`. The functions behind
 *   those two take and give bounded text (bootstrap.ts, guest.ts).
 * - WebAssembly confines a memory error of QuickJS to its own memory, which has a maximum. Every case gets a new
 *   instance (about a millisecond), so nothing lives from one case to the next.
 * - The child exists to be killed: QuickJS polls its interrupt handler between bytecodes only, and one call of a native
 *   function (sort, indexOf, a regular expression) can take as long as it likes. It has an empty environment, a
 *   working directory that is empty and removed, no permission for files, processes, threads or add-ons, and its own process group.
 *   Node has no permission for the network; nothing inside WebAssembly can name a socket.
 * - The worker (child-process.ts, run-case.ts) holds the clocks. Wall time is its monotonic clock; CPU time and resident
 *   memory are read from /proc, so on systems without it only wall time and WebAssembly's maximum bound a case.
 *   A frame from the child is a claim about the program: an answer, a fault. `limit` follows from what the worker
 *   saw, with one exception, memory: WebAssembly memory refused to grow, which only the child's host side can see.
 *   After a limit, a cancellation or a protocol error the child is killed and the next case gets a new one.
 *
 * `memoryBytes` is the program's WebAssembly memory (16 MiB at least). `processes` and the disk limits have no
 * meaning here: there are none. Clock and randomness repeat: see guest.ts.
 */

const oldestNode = 24;

/** The driver for machines without a container engine: profile `js` only. */
export function wasmDriver(): SandboxDriver {
  const profiles: Profile[] = ['js'];
  return { name: 'wasm', profiles, probe: () => probe(profiles), open };
}

async function probe(profiles: Profile[]): Promise<Availability> {
  const missing = (reason: string, install: string): Availability => ({ available: false, profiles, reason, install });
  if (Number.parseInt(process.versions.node, 10) < oldestNode) {
    return missing(
      `Node ${process.versions.node} is too old`,
      `Run with Node ${oldestNode} or newer; npm install brings one to node_modules/.bin/node.`,
    );
  }
  const before = performance.now();
  const started = await startChild(1_048_576);
  if (!started.ok) return missing(started.message, 'Run npm install again; the packages quickjs-emscripten and zod must be complete.');
  const readyMs = Math.round(performance.now() - before);
  await started.child.kill();
  return {
    available: true,
    profiles,
    gvisor: false,
    detail: `QuickJS in WebAssembly, child process ready in ${readyMs} ms (Node ${process.versions.node})`,
  };
}

async function open(options: SandboxOptions): Promise<Opened> {
  if (options.profile !== 'js') return { ok: false, message: `the wasm sandbox runs profile js, not ${options.profile}` };
  const { program } = options;
  if ('image' in program || program.language !== 'javascript')
    return { ok: false, message: `the wasm sandbox runs javascript, not ${'image' in program ? 'images' : program.language}` };
  if ((program.files ?? []).length > 0) return { ok: false, message: 'the wasm sandbox runs a single file' };
  if (options.cases === 'shared') return { ok: false, message: 'the wasm sandbox starts every case afresh; it cannot share state' };
  const started = await startChild(frameBytes(options.limits));
  return started.ok ? { ok: true, sandbox: new WasmSandbox(options, program.source, started.child) } : started;
}

class WasmSandbox implements Sandbox {
  readonly #options: SandboxOptions;
  readonly #closing = new AbortController();
  readonly #source: string;
  #child: Child | null;
  #running: Promise<CaseRun> | null = null;
  readonly environment = { driver: 'wasm', runtime: null, imageId: null, profileSha256: null } as const;

  constructor(options: SandboxOptions, source: string, child: Child) {
    this.#options = options;
    this.#source = source;
    this.#child = child;
  }

  async run(task: Task, signal: AbortSignal): Promise<CaseRun> {
    if (this.#running) throw new Error('cases of one sandbox run one after another');
    this.#running = this.#run(task, AbortSignal.any([signal, this.#options.signal, this.#closing.signal]));
    try {
      return await this.#running;
    } finally {
      this.#running = null;
    }
  }

  async #run(task: Task, signal: AbortSignal): Promise<CaseRun> {
    if (signal.aborted) return { kind: 'error', message: 'the case was stopped before it began' };
    if (!this.#child?.alive()) {
      const started = await startChild(frameBytes(this.#options.limits));
      if (!started.ok) return { kind: 'error', message: started.message };
      this.#child = started.child;
    }
    const { limits, door } = this.#options;
    const run = await runCase(this.#child, task, { source: this.#source, limits, door }, signal);
    if (run.kind === 'limit' || run.kind === 'error') {
      await this.#child.kill();
      this.#child = null;
    }
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.#child?.kill();
    this.#child = null;
  }
}
