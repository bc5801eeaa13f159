import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Json } from '../../../contracts/json.ts';
import { CaseIsolation, Limits, type Profile, type ProgramFile, Runtime } from '../../../contracts/sandbox.ts';
import { LimitKind } from '../../../contracts/status.ts';

/**
 * One attack is a folder: `expect.json` says what must happen, the program lies beside it. The same attack may be
 * written for several profiles (attack.py, attack.mjs, attack.js); each is run. What must hold after every attack,
 * whatever it was, stands in `host.ts` and `arena.ts` and not here.
 */
const oneOrMore = <T extends z.ZodType>(one: T) => z.union([one.transform((value) => [value]), z.array(one).min(1)]);
const Pattern = z.string().transform((text, context) => {
  try {
    return new RegExp(text, 'su');
  } catch {
    context.addIssue({ code: 'custom', message: `not a regular expression: ${text}` });
    return z.NEVER;
  }
});

const Expectation = z.strictObject({
  kind: oneOrMore(z.enum(['answer', 'fault', 'limit', 'error'])),
  limit: oneOrMore(LimitKind).optional(),
  code: oneOrMore(z.enum(['program_error', 'invalid_output', 'early_exit'])).optional(),
  message: Pattern.optional(),
  /** The answer, exactly. */
  answer: Json.optional(),
  /** Every text in the answer, at any depth; with `leaves` at least so many of them, so that none is no pass. */
  each: Pattern.optional(),
  leaves: z.number().int().min(1).optional(),
  /** Number of an earlier run whose answer must be the same, or another. */
  sameAs: z.number().int().optional(),
  differsFrom: z.number().int().optional(),
  log: Pattern.optional(),
  /** Found nowhere in what the run leaves: answer, log, message, artifacts. */
  lacks: z.array(Pattern).default([]),
  /** Paths of the artifacts, sorted. */
  artifacts: z.array(z.string()).optional(),
  /** Milliseconds from the call to its result; the wall limit and a grace when absent. */
  withinMs: z.number().int().positive().optional(),
});
export type Expectation = z.infer<typeof Expectation>;

const Run = z.strictObject({
  /** Runs of one name are cases of one sandbox; another name is another submission. */
  sandbox: z.string().default('a'),
  input: Json.default(null),
  /** Goes on while the next runs happen: the program says "armed" to its target and is answered when they are over. */
  meanwhile: z.boolean().default(false),
  /** Ends the sandbox when the run is over. */
  close: z.boolean().default(false),
  expect: Expectation,
});
export type Run = z.infer<typeof Run>;

const Attack = z.strictObject({
  /** What it tries and where that comes from: a CVE, an incident, an advisory. One sentence. */
  why: z.string().min(20),
  fast: z.boolean().default(false),
  /** Calls the kernel by number or in machine code: only on this kind of machine. */
  machine: z.enum(['x64', 'arm64']).optional(),
  /** What starts the container; all when absent. gVisor is a kernel of its own, to which some questions mean something else. */
  runtimes: z.array(Runtime).min(1).optional(),
  limits: z.record(z.string(), z.unknown()).default({}),
  cases: CaseIsolation.optional(),
  /** Calls that may reach a model during the attack, both bounds included. */
  modelCalls: z.tuple([z.number(), z.number()]).optional(),
  /** An image that is refused before it runs, as the participant's fault, in words that match. */
  refused: Pattern.optional(),
  runs: z
    .array(Run)
    .min(1)
    .default([{ sandbox: 'a', input: null, meanwhile: false, close: false, expect: { kind: ['answer'], lacks: [] } }]),
});

export interface Attack extends Omit<z.infer<typeof Attack>, 'limits'> {
  family: string;
  name: string;
  folder: string;
  limits: Limits;
  programs: { profile: Exclude<Profile, 'image'>; source: string; files: ProgramFile[] }[];
  /** `attack.ts`: what is attacked is the worker or its engine, and no program can do it from inside. */
  scenario: string | null;
  /** `image.json`: an image that a participant offers. */
  image: string | null;
}

/** Small, so that what is bounded is met soon; an attack asks for what it needs. */
const usualLimits = {
  ...{ wallMs: 5_000, cpuMs: 2_000, memoryBytes: 67_108_864, processes: 32, outputBytes: 16_384, answerBytes: 16_384 },
  ...{ diskBytes: 8_388_608, diskInodes: 512, openFiles: 64 },
};

export const families = [
  ...['paths', 'processes', 'limits', 'network', 'kernel', 'leakage', 'probing', 'verdict', 'images', 'worker'],
] as const;

const root = join(import.meta.dirname, '..');
const entries = { 'attack.py': 'python', 'attack.mjs': 'node', 'attack.js': 'js' } as const;

/** Every attack, by family and name. Throws when a folder says something that is not understood. */
export function loadAttacks(): Attack[] {
  return families.flatMap((family) => {
    const folder = join(root, family);
    const names = existsSync(folder) ? readdirSync(folder).sort() : [];
    return names.filter((name) => statSync(join(folder, name)).isDirectory()).map((name) => loadAttack(family, name));
  });
}

function loadAttack(family: string, name: string): Attack {
  const folder = join(root, family, name);
  const parsed = Attack.safeParse(JSON.parse(readFileSync(join(folder, 'expect.json'), 'utf8')));
  if (!parsed.success) throw new Error(`${family}/${name}/expect.json: ${z.prettifyError(parsed.error)}`);
  const has = (file: string) => existsSync(join(folder, file));
  const files = has('files') ? readdirSync(join(folder, 'files')) : [];
  const programs = Object.entries(entries)
    .filter(([file]) => has(file))
    .map(([file, profile]) => ({
      profile,
      source: readFileSync(join(folder, file), 'utf8'),
      files: files.map((path) => ({ path, bytes: readFileSync(join(folder, 'files', path)) })),
    }));
  const scenario = has('attack.ts') ? join(folder, 'attack.ts') : null;
  const image = has('image.json') ? join(folder, 'image.json') : null;
  if (programs.length === 0 && scenario === null && image === null) throw new Error(`${family}/${name} has nothing that attacks`);
  const limits = Limits.parse({ ...usualLimits, ...parsed.data.limits });
  return { ...parsed.data, family, name, folder, limits, programs, scenario, image };
}
