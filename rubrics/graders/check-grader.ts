import { everyGrader, type GraderSpec } from '../../contracts/graders.ts';
import type { PlainGraderSpec, ToolPattern } from '../../contracts/plain-graders.ts';
import type { Operand, Predicate } from '../../contracts/predicates.ts';
import { maxGraderBytes, profilesOfLanguage, type ProgramGraderSpec } from '../../contracts/program-grader.ts';
import { type Demands, needFor } from '../../contracts/queue.ts';
import type { Source } from '../../contracts/sources.ts';
import { checkJudging, judgedSources } from '../judging/check.ts';
import { compileSchema } from '../schemas.ts';
import { readQueries } from './queries.ts';
import { refusalPresets } from './refusal.ts';
import { patternProblem } from './regex.ts';
import { sourceHead } from './sources.ts';

type Path = (string | number)[];
export interface GraderProblem {
  /** Below the grader. */
  path: Path;
  message: string;
}

/** What of the rubric a grader may name. */
export interface GraderSurroundings {
  secrets: ReadonlySet<string>;
  files: ReadonlyMap<string, Uint8Array>;
  /** What the rubric demands of the machine. */
  demands: Demands;
}

/** What would keep a grader, or one inside it, from being compiled or from ever giving a score. Empty when nothing. */
export function checkGrader(spec: GraderSpec, around: GraderSurroundings): GraderProblem[] {
  return everyGrader(spec).flatMap(({ path, grader }) =>
    [...checkSources(grader, around), ...checkParts(grader, around)].map((problem) => ({ ...problem, path: [...path, ...problem.path] })),
  );
}

function checkSources(spec: GraderSpec, around: GraderSurroundings): GraderProblem[] {
  return sourcesOf(spec).flatMap(({ path, source }) => {
    if (sourceHead(source) !== 'secret') return [];
    const name = source.split('/')[1];
    return name !== undefined && around.secrets.has(name) ? [] : [{ path, message: `no secret is named "${name ?? ''}"` }];
  });
}

/** Every source a grader reads, not those of the graders inside it. */
function sourcesOf(spec: GraderSpec): { path: Path; source: Source }[] {
  const fields = ['of', 'to', 'secret', 'control', 'allow'].flatMap((field) => {
    const value = (spec as Readonly<Record<string, unknown>>)[field];
    return typeof value === 'string' ? [{ path: [field], source: value }] : [];
  });
  const judged = spec.kind === 'judge' || spec.kind === 'jury' ? judgedSources(spec) : [];
  return [...fields, ...judged, ...predicatesOf(spec).flatMap(({ path, predicate }) => operandSource(predicate, path))];
}

function predicatesOf(spec: GraderSpec): { path: Path; predicate: Predicate }[] {
  if (spec.kind === 'state-check') return spec.checks.map((predicate, i) => ({ path: ['checks', i], predicate }));
  if (spec.kind !== 'tool-policy') return [];
  return (['forbidden', 'required', 'order'] as const).flatMap((list) =>
    (spec[list] as readonly ToolPattern[]).flatMap((pattern, i) =>
      pattern.arguments.map((predicate, j) => ({ path: [list, i, 'arguments', j], predicate })),
    ),
  );
}

function operandSource(predicate: Predicate, path: Path): { path: Path; source: Source }[] {
  const operands: [string, Operand][] =
    predicate.is === 'equals'
      ? [['to', predicate.to]]
      : predicate.is === 'differs'
        ? [['from', predicate.from]]
        : predicate.is === 'contains' || predicate.is === 'lacks'
          ? [['what', predicate.what]]
          : [];
  return operands.flatMap(([field, operand]) =>
    'source' in operand ? [{ path: [...path, field, 'source'], source: operand.source }] : [],
  );
}

function checkParts(spec: GraderSpec, around: GraderSurroundings): GraderProblem[] {
  switch (spec.kind) {
    case 'refusal':
      return typeof spec.preset !== 'string' || refusalPresets.includes(spec.preset)
        ? []
        : [{ path: ['preset'], message: `no refusal preset is named "${spec.preset}"; expected one of ${refusalPresets.join(', ')}` }];
    case 'reasr':
      return oneProblem(['queries'], queriesProblem(spec, around.files));
    case 'regex':
      return [
        ...oneProblem(['pattern'], patternProblem(spec.pattern)),
        ...oneProblem(
          ['atMost'],
          spec.atMost !== undefined && spec.atMost < spec.atLeast ? `is less than "atLeast" (${spec.atLeast})` : null,
        ),
      ];
    case 'json-schema': {
      const compiled = compileSchema(spec.schema);
      return oneProblem(['schema'], compiled.ok ? null : `expected a JSON Schema: ${compiled.problem}`);
    }
    case 'overlap':
      return oneProblem(
        ['atLeastTokens'],
        spec.atLeastTokens !== undefined && spec.measure !== 'lcs' ? 'counts tokens of "lcs" only' : null,
      );
    case 'strongreject':
      return oneProblem(['of'], writtenBySubmission(spec.of));
    case 'program':
      return checkProgram(spec, around);
    case 'judge':
    case 'jury':
      return checkJudging(spec);
    case 'tool-policy':
      return [
        ...oneProblem([], toolRules(spec) === 0 ? 'a tool policy needs a rule: without one every submission passes' : null),
        ...checkPredicates(spec),
      ];
    case 'state-check':
      return checkPredicates(spec);
    default:
      return [];
  }
}

function checkProgram({ path, language, profile }: ProgramGraderSpec, { files, demands }: GraderSurroundings): GraderProblem[] {
  const bytes = files.get(path);
  const speaking = profilesOfLanguage[language];
  const thin = needFor(profile, demands) === null;
  return [
    ...oneProblem(['path'], bytes === undefined ? `the folder has no file "${path}"` : graderFileProblem(path, bytes)),
    ...oneProblem(
      ['profile'],
      speaking.includes(profile)
        ? thin
          ? `"${profile}" runs in no container, and this rubric ${demands.bounty ? 'has bounties' : 'demands gVisor'}: use "node" or "python"`
          : null
        : `"${profile}" does not run ${language}; expected ${speaking.map((name) => `"${name}"`).join(' or ')}`,
    ),
  ];
}

function graderFileProblem(path: string, bytes: Uint8Array): string | null {
  if (bytes.byteLength > maxGraderBytes) return `"${path}" has ${bytes.byteLength} bytes, a grader program at most ${maxGraderBytes}`;
  return textOf(bytes) === null ? `"${path}" is not valid UTF-8 text` : null;
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

const oneProblem = (path: Path, message: string | null): GraderProblem[] => (message === null ? [] : [{ path, message }]);

const writtenBySubmission = (source: Source): string | null =>
  ['input', 'expected'].includes(sourceHead(source))
    ? null
    : 'a judge\'s answers are read from "expected" or "input": from anywhere else a submission would grade itself';

const toolRules = (spec: Extract<PlainGraderSpec, { kind: 'tool-policy' }>): number =>
  spec.forbidden.length + spec.required.length + spec.order.length + (spec.allowed ? 1 : 0) + (spec.maxCalls === undefined ? 0 : 1);

const checkPredicates = (spec: GraderSpec): GraderProblem[] =>
  predicatesOf(spec).flatMap(({ path, predicate }) => {
    if (predicate.is === 'matches') return oneProblem([...path, 'pattern'], patternProblem(predicate.pattern));
    if (predicate.is !== 'between' && predicate.is !== 'size') return [];
    const { min, max } = predicate;
    if (min === undefined && max === undefined) return [{ path, message: 'needs "min" or "max"' }];
    return oneProblem([...path, 'max'], min !== undefined && max !== undefined && max < min ? `is less than "min" (${min})` : null);
  });

function queriesProblem(
  { queries: file, count }: Extract<GraderSpec, { kind: 'reasr' }>,
  files: ReadonlyMap<string, Uint8Array>,
): string | null {
  const bytes = files.get(file);
  if (!bytes) return `the folder has no file "${file}"`;
  const text = textOf(bytes);
  if (text === null) return `"${file}" is not valid UTF-8 text`;
  const read = readQueries(text, count);
  return read.ok ? null : `${file}, line ${read.line}: ${read.problem}`;
}
