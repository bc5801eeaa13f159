import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeFrame, FromChild, frameReader, type ToChild } from './frames.ts';

/**
 * The child's own heap, which the program's WebAssembly memory is not in. It holds little, but V8 derives from it how
 * often it collects discarded instances: with 96 MB a small case took 5.3 ms instead of 3.2.
 */
const heapMb = 256;
const startMs = 20_000;
const stderrBytes = 4_096;

export interface ChildEvents {
  frame(frame: FromChild): void;
  /** The child ended, or said something that is no frame (and was killed for it). */
  ended(why: string): void;
}

export interface Child {
  readonly pid: number;
  /** Who hears what the child says from now on. */
  listen(events: ChildEvents | null): void;
  send(frame: ToChild): void;
  alive(): boolean;
  /** SIGKILL to the whole process group; resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a child and waits until it says that it is ready. Fails with what the child printed when it does not come up.
 * Its working directory is an empty one that is removed once it runs, so nothing is left if this process is killed.
 */
export async function startChild(maxFrameBytes: number): Promise<{ ok: true; child: Child } | { ok: false; message: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'collective-sandbox-'));
  try {
    return await startIn(folder, maxFrameBytes);
  } finally {
    await rmdir(folder);
  }
}

async function startIn(folder: string, maxFrameBytes: number): Promise<{ ok: true; child: Child } | { ok: false; message: string }> {
  const started = spawn(process.execPath, childArguments(), { cwd: folder, env: {}, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const { child, failed } = wrap(started, maxFrameBytes);
  const timer = AbortSignal.timeout(startMs);
  const problem = await new Promise<string | null>((resolve) => {
    void failed.then(resolve);
    timer.addEventListener('abort', () => resolve(`it was not ready after ${startMs} ms`));
    child.listen({ frame: (frame) => resolve(frame.type === 'ready' ? null : 'it spoke out of turn'), ended: resolve });
  });
  child.listen(null);
  if (problem === null) return { ok: true, child };
  await child.kill();
  return { ok: false, message: `the sandbox process did not start: ${problem}` };
}

function wrap(spawned: ChildProcess, maxFrameBytes: number): { child: Child; failed: Promise<string> } {
  let events: ChildEvents | null = null;
  let stderr = Buffer.alloc(0);
  let broken = false;
  const reader = frameReader(FromChild, maxFrameBytes);
  const alive = () => spawned.pid !== undefined && spawned.exitCode === null && spawned.signalCode === null;
  const gone = new Promise<void>((resolve) => {
    spawned.once('close', () => resolve());
    spawned.once('error', () => resolve());
  });
  const failed = new Promise<string>((resolve) => spawned.once('error', (error) => resolve(error.message)));
  const signal = () => {
    // Only while it has not been waited for does the number certainly belong to it.
    if (alive()) process.kill(-spawned.pid!, 'SIGKILL');
  };
  spawned.stdout!.on('data', (chunk: Buffer) => {
    if (broken) return;
    try {
      for (const frame of reader.push(chunk)) events?.frame(frame);
    } catch (error) {
      broken = true;
      signal();
      events?.ended(`it broke the protocol: ${error instanceof Error ? error.message.slice(0, 300) : 'unknown'}`);
    }
  });
  spawned.stderr!.on('data', (chunk: Buffer) => {
    if (stderr.byteLength < stderrBytes) stderr = Buffer.concat([stderr, chunk]).subarray(0, stderrBytes);
  });
  // Writing to a child that has just ended fails with EPIPE; its end is reported by itself.
  spawned.stdin!.on('error', () => signal());
  spawned.once('close', (code, name) => events?.ended(`it ended by itself (${name ?? `exit ${code}`}) ${stderr.toString('utf8')}`.trim()));
  const child: Child = {
    pid: spawned.pid ?? -1,
    listen: (next) => {
      events = next;
    },
    send: (frame) => void spawned.stdin!.write(encodeFrame(frame)),
    alive: () => alive() && !broken,
    kill: async () => {
      signal();
      await gone;
    },
  };
  return { child, failed };
}

let known: string[] | undefined;

/**
 * Node's permission model denies files, child processes, threads, add-ons and WASI but for the reads named here.
 * Text cannot become code outside QuickJS.
 */
function childArguments(): string[] {
  known ??= [
    '--permission',
    ...readable().map((path) => `--allow-fs-read=${path}`),
    `--max-old-space-size=${heapMb}`,
    '--expose-gc',
    '--disallow-code-generation-from-strings',
    '--no-warnings',
    join(here, 'child.ts'),
  ];
  return known;
}

const here = dirname(fileURLToPath(import.meta.url));

function readable(): string[] {
  const own = createRequire(import.meta.url);
  const quickjs = own.resolve('quickjs-emscripten');
  const inside = createRequire(quickjs);
  const packages = [
    folderOf(own.resolve('zod'), 'zod'),
    folderOf(quickjs, 'quickjs-emscripten'),
    folderOf(inside.resolve('quickjs-emscripten-core'), 'quickjs-emscripten-core'),
    // QuickJS's builds and their types: Node looks at every build's package.json, also of those that are not loaded.
    folderOf(inside.resolve('@jitl/quickjs-wasmfile-release-sync'), '@jitl'),
  ];
  // Node looks for the nearest package.json to learn that these files are modules.
  return [here + sep, join(dirname(dirname(here)), 'package.json'), ...packages];
}

function folderOf(file: string, name: string): string {
  const end = file.lastIndexOf(join('node_modules', name) + sep);
  if (end < 0) throw new Error(`${name} is not installed under node_modules`);
  return file.slice(0, end) + join('node_modules', name) + sep;
}
