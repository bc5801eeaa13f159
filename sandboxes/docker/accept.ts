import type { Language, SandboxOptions, SandboxProgram } from '../../contracts/sandbox.ts';
import { prepareImage } from '../images/image-submission.ts';
import { runnerStart } from '../images/runner-folder.ts';
import type { Engine } from './engine.ts';
import { type ContainerShape, type DockerProfile, type ProgramSize, programSize } from './hardening.ts';
import { type Clamped, clampLimits } from './limits.ts';
import type { DockerDriverOptions } from './options.ts';
import { buildImages } from './probe.ts';

const languages: Record<Exclude<DockerProfile, 'image'>, Language> = { node: 'javascript', python: 'python' };
const entryFile: Record<Language, string> = { javascript: 'main.mjs', python: 'main.py' };

export type Accepted =
  | { ok: true; shape: ContainerShape; clamped: Clamped; files: { path: string; bytes: Uint8Array }[] }
  | { ok: false; message: string; fault?: 'participant' };

/** What container an evaluation needs and what goes into it; for an image of a participant this fetches and checks it. */
export async function accept(engine: Engine, options: SandboxOptions, given: DockerDriverOptions): Promise<Accepted> {
  const { profile, program } = options;
  if (profile === 'js') return { ok: false, message: 'the docker driver has no profile "js"' };
  if ('image' in program) return await acceptImage(engine, program.image, options, given);
  if (profile === 'image') return { ok: false, message: 'profile "image" runs an image, not a program' };
  const language = languages[profile];
  if (program.language !== language) {
    return { ok: false, message: `profile "${profile}" runs ${language}, this program is written in ${program.language}` };
  }
  const imageId = given.images[profile];
  if (imageId === undefined) return { ok: false, message: `there is no image for profile "${profile}". ${buildImages}` };
  const packed = filesOf(program);
  if (!packed.ok) return packed;
  const { clamped, ...shape } = shapeOf(options, given);
  return { ok: true, shape: { ...shape, profile, imageId, program: packed.size }, clamped, files: packed.files };
}

function shapeOf(options: SandboxOptions, given: DockerDriverOptions) {
  const clamped = clampLimits(options.limits, given.maxima ?? {});
  return { clamped, limits: clamped.limits, runtime: runtimeFor(options, given), cases: options.cases ?? ('independent' as const) };
}

/** An image is fetched, checked and started with its own command; our runner is mounted into it. */
async function acceptImage(engine: Engine, image: string, options: SandboxOptions, given: DockerDriverOptions): Promise<Accepted> {
  const { runnerFolder, recordFolder, imagePolicy } = given;
  if (options.profile !== 'image') return { ok: false, message: `profile "${options.profile}" runs a program, not an image` };
  if (runnerFolder === undefined || recordFolder === undefined || imagePolicy === undefined) {
    return { ok: false, message: `images of participants are not run here: set IMAGE_REGISTRIES. ${buildImages}` };
  }
  const preparation = { policy: imagePolicy, recordFolder, timeoutMs: engine.timeoutMs };
  const prepared = await prepareImage(engine.docker, image, preparation, options.signal);
  if (!prepared.ok) return { ok: false, message: prepared.message, ...(prepared.fault === 'participant' ? { fault: prepared.fault } : {}) };
  const start = runnerStart();
  const foreign = {
    command: prepared.command,
    environment: prepared.environment,
    runnerFolder,
    runnerCommand: start.command,
    runnerEnvironment: start.environment,
  };
  const { clamped, ...shape } = shapeOf(options, given);
  return { ok: true, shape: { ...shape, profile: 'image', imageId: prepared.imageId, program: 'small', foreign }, clamped, files: [] };
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
  // In pages, as the file system counts: 400 files of one byte need 1.6 MB there.
  const total = files.reduce((sum, { bytes }) => sum + Math.ceil(bytes.byteLength / 4096) * 4096, 0);
  const size = programSize(total);
  return size === null ? refuse(`the program has ${total} bytes, more than any sandbox takes`) : { ok: true, files, size };
}
