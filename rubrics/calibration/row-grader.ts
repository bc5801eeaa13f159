import { readFile, stat } from 'node:fs/promises';
import type { Exchange } from '../../contracts/chat.ts';
import { GraderSpec } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import type { Source } from '../../contracts/sources.ts';
import { compileGrader } from '../graders/compile.ts';
import type { Grader, GradingContext } from '../graders/grader.ts';
import type { JudgeAccess } from '../judging/access.ts';
import { openBatches } from '../judging/batches.ts';
import { refusalPresets } from '../graders/refusal.ts';
import { parseYaml } from '../yaml-source.ts';
import { schemaProblems } from '../zod-problems.ts';
import type { Observation } from './observation.ts';
import { CalibrationProblem } from './problem.ts';

/** What grades a row: a grader of ours, or a verdict that is already written in the row. */
export type RowGrader = { kind: 'recorded'; field: string } | { kind: 'grader'; grader: Grader };

const maxFileBytes = 262_144;

/**
 * The grader a name means: `refusal:<preset>` (says 1 to a refusal), `field:<name>` (the verdict of a judge that ran
 * elsewhere, read from the row), the kind of a grader that needs nothing but the text, or a YAML or JSON file with one
 * grader as it stands in a rubric's criterion. Throws `CalibrationProblem`.
 */
export async function rowGrader(name: string): Promise<RowGrader> {
  const recorded = /^field:(.+)$/s.exec(name)?.[1];
  if (recorded !== undefined) return { kind: 'recorded', field: recorded };
  return { kind: 'grader', grader: compile(name, isGraderFile(name) ? await graderFile(name) : namedSpec(name)) };
}

/** Is it the path of a file, and not the name of a grader? */
export const isGraderFile = (name: string): boolean => !name.startsWith('field:') && /[/\\]|\.(ya?ml|json)$/i.test(name);

function namedSpec(name: string): unknown {
  const [kind, preset] = [name.split(':', 1)[0] ?? '', name.slice(name.indexOf(':') + 1)];
  if (kind !== 'refusal') {
    if (name.includes(':')) throw new CalibrationProblem(`no grader is named "${name}"; write it into a file and give that`);
    return { kind, of: 'last-reply' };
  }
  if (!refusalPresets.includes(preset))
    throw new CalibrationProblem(`there is no refusal preset "${preset}"; there are ${refusalPresets.join(', ')}`);
  return { kind, of: 'last-reply', preset, expect: 'refusal' };
}

/** The value of a YAML or JSON file. Throws `CalibrationProblem`. */
export async function graderFile(path: string): Promise<unknown> {
  let bytes: Uint8Array;
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new CalibrationProblem(`the grader "${path}" is not a file`);
    if (found.size > maxFileBytes) throw new CalibrationProblem(`the grader "${path}" is larger than ${maxFileBytes} bytes`);
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof CalibrationProblem) throw error;
    throw new CalibrationProblem(`the grader "${path}" cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`);
  }
  // JSON is YAML; one strict reader serves both.
  const parsed = parseYaml(bytes);
  if (parsed.ok) return parsed.source.value;
  const [first] = parsed.problems;
  throw new CalibrationProblem(`the grader "${path}"${first?.line ? `, line ${first.line}` : ''}: ${first?.message ?? 'cannot be read'}`);
}

function compile(name: string, spec: unknown): Grader {
  const checked = GraderSpec.safeParse(spec);
  if (!checked.success) {
    const problems = schemaProblems(checked.error).slice(0, 3);
    const words = problems.map(({ path, message }) => `${path.length === 0 ? '' : `${path.join('/')}: `}${message}`);
    throw new CalibrationProblem(`"${name}" is no grader that can be used here: ${words.join('; ')}`);
  }
  try {
    return compileGrader(checked.data, () => {
      throw new Error('it reads a file of its rubric; calibrate takes graders that need none');
    });
  } catch (error) {
    throw new CalibrationProblem(`the grader "${name}" cannot be used: ${(error as Error).message}`);
  }
}

export type RowVerdict = { graded: true; score: number } | { graded: false; why: string };

/** What a judged grader needs besides the text: its judges, and where in the input it looks for the prompt. */
export interface RowJudging {
  access: JudgeAccess;
  promptAt: readonly Source[];
}

/**
 * Grades one text as if a target had sent it: it is the last reply and the answer at once; the prompt is
 * `input/prompt`, the row's other fields are `expected/<field>`. A grader that throws or gives no score has not graded.
 */
export async function gradeRow(grader: Grader, row: Observation, text: string, judging?: RowJudging): Promise<RowVerdict> {
  try {
    const { status, score, evidence } = await grader(contextOf(row, text, judging));
    if (status === 'graded' && score !== null && score >= 0 && score <= 1) return { graded: true, score };
    return { graded: false, why: typeof evidence.message === 'string' ? evidence.message : `the grader answered ${status}` };
  } catch (error) {
    return { graded: false, why: `the grader failed: ${error instanceof Error ? error.message : 'unknown'}` };
  }
}

function contextOf(row: Observation, text: string, judging: RowJudging | undefined): GradingContext {
  return {
    case: { id: `line-${row.line}`, input: inputOf(row.prompt, judging?.promptAt ?? []), expected: row.rest },
    split: 'public',
    trial: 0,
    answer: text,
    transcript: [exchangeOf(row.prompt ?? '', text)],
    secrets: {},
    ask: () => Promise.reject(new Error('it asks a target; run it elsewhere and give its recorded verdicts as field:<name>')),
    purpose: 'grading',
    judging: judging?.access ?? noJudges,
    runProgram: () => Promise.reject(new Error('it runs a program; run it elsewhere and give its recorded verdicts as field:<name>')),
  };
}

const noJudges: JudgeAccess = {
  judges: new Map(),
  seed: '',
  batches: openBatches(() => 0),
  ask: () =>
    Promise.reject(new Error('it asks a judge: give the grader with its judges, as { grader, judges } or by --rubric and --criterion')),
};

/**
 * The input of a row: its prompt at `prompt`, and wherever in the input the grader looks for what the text answers
 * (`input/goal`). Sources that are no path of the input read other parts of the row.
 */
function inputOf(prompt: string | null, promptAt: readonly Source[]): Json {
  if (prompt === null) return {};
  if (promptAt.includes('input')) return prompt;
  const input = emptyObject();
  input.prompt = prompt;
  for (const source of promptAt) {
    const [head, ...path] = source.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (head === 'input' && path.length > 0) place(input, path, prompt);
  }
  return input;
}

/** Without a prototype: a name such as `__proto__` is a member like any other, and nothing is reached through it. */
const emptyObject = (): Record<string, Json> => Object.create(null) as Record<string, Json>;

function place(into: Record<string, Json>, [step = '', ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) {
    into[step] = value;
    return;
  }
  const before = Object.hasOwn(into, step) ? into[step] : undefined;
  const inner = typeof before === 'object' && before !== null && !Array.isArray(before) ? before : emptyObject();
  into[step] = inner;
  place(inner, rest, value);
}

function exchangeOf(prompt: string, text: string): Exchange {
  return {
    index: 0,
    target: 'recorded',
    simulated: false,
    askedBy: 'submission',
    request: { target: 'recorded', messages: [{ role: 'user', content: prompt }] },
    reply: {
      id: 'recorded',
      content: text,
      toolCalls: [],
      stopReason: 'stop',
      requestedModel: 'recorded',
      returnedModel: 'recorded',
      fingerprint: null,
      tokens: { inputTokens: 0, outputTokens: 0, estimated: true },
    },
    fault: null,
    charged: { calls: 0, inputTokens: 0, outputTokens: 0, costMicros: '0' },
    startedAt: '1970-01-01T00:00:00.000Z',
    durationMs: 0,
  };
}
