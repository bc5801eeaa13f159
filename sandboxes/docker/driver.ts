import type { Language, SandboxDriver, SandboxOptions, SandboxProgram } from '../../contracts/sandbox.ts';
import { engineAt, engineProblem } from './engine.ts';
import { type ContainerShape, type DockerProfile, type ProgramSize, programSize } from './hardening.ts';
import { type Clamped, clampLimits } from './limits.ts';
import type { DockerDriverOptions } from './options.ts';
import { buildImages, installEngine, probeEngine } from './probe.ts';
import { DockerSandbox } from './sandbox.ts';
import { type Workplace, workplaceOf } from './workplace.ts';

/**
 * Theory of operation. A sandbox is one container of a Docker engine: no network, read-only root, bounded memory,
 * processes and scratch space, our own system call filter (hardening.ts). Its first process is our runner
 * (sandboxes/images/runner), which starts every case of the evaluation as another user. Containers are started before
 * anybody needs them and used for one evaluation each (pool.ts). The worker speaks to the runner over the container's
 * attached stdin and stdout in frames (frames.ts, runner-protocol.ts) and observes the container from outside
 * (meter.ts); what it observed decides over what it is told (verdict.ts). The only way out is a unix socket in a
 * read-only folder, behind which the gateway session of this evaluation answers (socket-folder.ts). What a worker that
 * died left behind is cleared by the others (presence.ts, reap.ts).
 *
 * Engine calls are create, attach, start, inspect, stats, list and remove. Never used, because each let a container
 * reach the host before: archive (copies files through paths the container shapes), exec, build, and images by tag.
 */
export type DockerDriver = SandboxDriver & AsyncDisposable;

const languages: Record<Exclude<DockerProfile, 'image'>, Language> = { node: 'javascript', python: 'python' };
const entryFile: Record<Language, string> = { javascript: 'main.mjs', python: 'main.py' };

/** The driver for profiles `node`, `python` and `image`. Connects to nothing until it is used. */
export function dockerDriver(given: DockerDriverOptions): DockerDriver {
  const engine = engineAt(given.dockerHost, given.engineTimeoutMs);
  let workplace: Promise<Workplace> | null = null;
  const ready = async (): Promise<Workplace> => {
    if (!engine.ok) throw new Error(engine.problem);
    // A folder that could not be written may be writable the next time.
    workplace ??= workplaceOf(engine, given).catch((error: unknown) => {
      workplace = null;
      throw error;
    });
    return await workplace;
  };
  return {
    name: 'docker',
    profiles: ['node', 'python', 'image'],
    probe: async () => {
      if (!engine.ok) return { available: false, profiles: [], reason: engine.problem, install: installEngine };
      const found = await probeEngine(engine, given);
      // From its first look on a worker also clears what dead ones left.
      if (found.available)
        await ready().then(
          (place) => place.startReaping(),
          () => {},
        );
      return found;
    },
    open: async (options) => {
      const accepted = accept(options, given);
      if (!accepted.ok) return accepted;
      if (options.signal.aborted) return { ok: false, message: 'the evaluation was cancelled' };
      try {
        const { pool } = await ready();
        const sandbox = new DockerSandbox({ pool, options, ...accepted });
        const prepared = await sandbox.prepare();
        if (prepared.ok) return { ok: true, sandbox };
        await sandbox[Symbol.asyncDispose]();
        return prepared;
      } catch (error) {
        return { ok: false, message: `the sandbox could not be opened: ${engineProblem(error)}` };
      }
    },
    [Symbol.asyncDispose]: async () => {
      await workplace?.then(
        (place) => place[Symbol.asyncDispose](),
        () => {},
      );
    },
  };
}

type Accepted =
  | { ok: true; shape: ContainerShape; clamped: Clamped; files: { path: string; bytes: Uint8Array }[] }
  | { ok: false; message: string; fault?: 'participant' };

function accept(options: SandboxOptions, given: DockerDriverOptions): Accepted {
  const { profile, program } = options;
  if (profile === 'js') return { ok: false, message: 'the docker driver has no profile "js"' };
  if (profile === 'image' || 'image' in program) return { ok: false, message: 'images of participants are not run here yet' };
  const language = languages[profile];
  if (program.language !== language) {
    return { ok: false, message: `profile "${profile}" runs ${language}, this program is written in ${program.language}` };
  }
  const imageId = given.images[profile];
  if (imageId === undefined) return { ok: false, message: `there is no image for profile "${profile}". ${buildImages}` };
  const packed = filesOf(program);
  if (!packed.ok) return packed;
  const clamped = clampLimits(options.limits, given.maxima ?? {});
  const shape: ContainerShape = {
    ...{ profile, imageId, limits: clamped.limits, program: packed.size },
    runtime: runtimeFor(options, given),
    cases: options.cases ?? 'independent',
  };
  return { ok: true, shape, clamped, files: packed.files };
}

/** The rubric's demand, else the operator's choice for its tier. */
function runtimeFor({ runtime, riskTier }: SandboxOptions, { runtimes }: DockerDriverOptions): ContainerShape['runtime'] {
  return runtime ?? (riskTier === undefined ? undefined : runtimes?.byTier[riskTier]) ?? runtimes?.usual ?? 'runc';
}

type Packed =
  | { ok: true; files: { path: string; bytes: Uint8Array }[]; size: ProgramSize }
  | { ok: false; message: string; fault: 'participant' };

/** What a path in a program may be; nothing that leads out of its folder, nothing hidden. */
const programPath = /^(?!.*(^|\/)\.)[A-Za-z0-9._-]{1,100}(\/[A-Za-z0-9._-]{1,100}){0,7}$/;
const mostFiles = 500;

/** Every file of a program with the entry file first, checked once more: whoever unpacked it was not trusted either. */
function filesOf(program: Exclude<SandboxProgram, { image: string }>): Packed {
  const refuse = (message: string): Packed => ({ ok: false, message, fault: 'participant' });
  const files = [{ path: entryFile[program.language], bytes: new TextEncoder().encode(program.source) as Uint8Array }];
  const seen = new Set(files.map(({ path }) => path));
  for (const { path, bytes } of program.files ?? []) {
    if (!programPath.test(path))
      return refuse(`the program has a file with a name that is not accepted: ${JSON.stringify(path.slice(0, 100))}`);
    if (seen.has(path)) return refuse(`the program has two files "${path}"`);
    seen.add(path);
    files.push({ path, bytes });
  }
  if (files.length > mostFiles) return refuse(`the program has ${files.length} files, at most ${mostFiles} are accepted`);
  const total = files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  const size = programSize(total);
  return size === null ? refuse(`the program has ${total} bytes, more than any sandbox takes`) : { ok: true, files, size };
}
