import { readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Config } from '../contracts/config.ts';
import { acceptedLanguages, type Phase, type SubmissionForm } from '../contracts/rubric.ts';
import { Language, type SandboxDriver } from '../contracts/sandbox.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import { maxFileBytes, readSubmissionFile } from '../contracts/submission-file.ts';
import type { TargetSpec } from '../contracts/target.ts';
import { readTargetsFile, replaceTarget } from '../evaluation/targets.ts';
import { createGateway } from '../gateway/gateway.ts';
import { providersOf } from '../gateway/providers/create.ts';
import type { Gateway } from '../gateway/session.ts';
import { loadRubric } from '../rubrics/load.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { dockerDriver } from '../sandboxes/docker/driver.ts';
import { operatorOptions } from '../sandboxes/docker/operator.ts';
import type { DockerDriverOptions } from '../sandboxes/docker/options.ts';
import { wasmDriver } from '../sandboxes/wasm/driver.ts';
import { InputError } from './exit-codes.ts';

/** Where the Docker engine, the images and the gateway's sockets are, and what the operator allows. */
export function dockerOptions(config: Config): Promise<DockerDriverOptions> {
  return operatorOptions(config, {
    home: config.COLLECTIVE_HOME,
    workerId: `local-${process.pid}`,
    socketFolder: join(tmpdir(), `collective-sockets-${process.pid}`),
    // A command runs one evaluation: nobody comes after it.
    poolBytes: 0,
  });
}

/** Every sandbox driver, set up for commands that run without a server. */
export async function localSandboxes(config: Config): Promise<AsyncDisposable & { all: SandboxDriver[] }> {
  const docker = dockerDriver(await dockerOptions(config));
  return { all: [wasmDriver(), docker], [Symbol.asyncDispose]: () => docker[Symbol.asyncDispose]() };
}

export const localGateway = (config: Config): Gateway => createGateway(providersOf(config));

/** Loads a rubric folder or says, problem by problem, what is wrong with it. */
export async function rubricAt(folder: string): Promise<LoadedRubric> {
  const loaded = await loadRubric(resolve(folder));
  if (loaded.ok) return loaded.rubric;
  const lines = loaded.problems.map(
    ({ file, line, path, message }) =>
      `${file === '' ? '' : `${file}${line === null ? '' : `:${line}`}: `}${path === '' ? '' : `${path}: `}${message}`,
  );
  throw new InputError(`${folder} is not a valid rubric:\n  ${lines.join('\n  ')}`);
}

export function phaseOf(rubric: LoadedRubric, name: string | undefined): Phase {
  const phases = rubric.rubric.phases;
  const phase = name === undefined ? phases[0] : phases.find((one) => one.name === name);
  if (phase === undefined) throw new InputError(`there is no phase "${name}"; this rubric has ${phases.map((one) => one.name).join(', ')}`);
  return phase;
}

/** Reads a submission file the way the server does. `asked`: the language of an archive; what the forms take when absent. */
export async function submissionAt(path: string, forms: readonly SubmissionForm[], asked: string | undefined): Promise<SubmissionDocument> {
  const language = asked === undefined ? undefined : Language.safeParse(asked);
  if (language?.success === false) throw new InputError(`--language must be ${Language.options.join(' or ')}`);
  let bytes: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > maxFileBytes) throw new Error(`it has ${size} bytes, at most ${maxFileBytes} are accepted`);
    bytes = await readFile(path);
  } catch (error) {
    throw new InputError(`the submission ${path} cannot be read: ${unreadable(error as NodeJS.ErrnoException)}`);
  }
  const kinds = forms.map((form) => form.kind);
  const read = readSubmissionFile(basename(path), bytes, kinds, language === undefined ? acceptedLanguages(forms) : [language.data]);
  if (read.ok) return read.document;
  const details = read.errors.map((one) => `\n  ${one.path}: ${one.message}`).join('');
  throw new InputError(`${path}: ${read.problem}${details}`);
}

function unreadable({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder; name one file';
  return message;
}

/** The rubric's targets, or with the one chosen by `--target` in the replaceable place. */
export async function targetsFor(rubric: LoadedRubric, chosen: string | undefined, config: Config): Promise<readonly TargetSpec[]> {
  if (chosen === undefined) return rubric.rubric.targets;
  const offered = config.TARGETS_FILE === undefined ? { ok: true as const, targets: [] } : await readTargetsFile(config.TARGETS_FILE);
  if (!offered.ok) throw new InputError(offered.problem);
  const replaced = replaceTarget(rubric.rubric.targets, chosen, offered.targets);
  if (!replaced.ok) {
    const hint = config.TARGETS_FILE === undefined ? '\nTARGETS_FILE, which names a file with further targets, is not set' : '';
    throw new InputError(`${replaced.problem}${hint}`);
  }
  return replaced.targets;
}
