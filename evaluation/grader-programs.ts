import type { Json } from '../contracts/json.ts';
import type { ProgramGraderSpec } from '../contracts/program-grader.ts';
import type { Split } from '../contracts/rubric.ts';
import { type CaseRun, Limits, type Sandbox, type SandboxDriver, type SandboxProgram } from '../contracts/sandbox.ts';
import type { ProgramAnswer } from '../rubrics/graders/grader.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { closedDoor } from './closed-door.ts';
import type { NotOpened } from './load-code.ts';
import { openSandbox } from './open-sandbox.ts';

/**
 * Theory of operation. The sponsor's graders are code of a stranger that knows the expected answers, so they meet
 * neither the worker's process nor submitted code: each has a sandbox of its own for one split, opened when first
 * asked, with no model behind its door. A submission enters it as data. Cases run one after another, each in a fresh
 * process. What a program says besides its answer goes to `onFailure` alone, which is for whoever owns the rubric: an
 * exception's text may quote an expected answer, and participants read the messages of errors.
 */
export interface GraderProgramSetting {
  /** Names the sandboxes; the evaluation's id. */
  id: string;
  split: Split;
  rubric: LoadedRubric;
  drivers: readonly SandboxDriver[];
  onFailure?: ((failure: GraderFailure) => void) | undefined;
  signal: AbortSignal;
}

/** What became of a grader program that gave no answer, with its own words: never for participants. */
export interface GraderFailure {
  path: string;
  caseId: string;
  message: string;
  log: string;
}

export interface GraderPrograms extends AsyncDisposable {
  /** Runs a grader program for one case; rejects only where this side has a bug. */
  run(spec: ProgramGraderSpec, task: Json, on: { caseId: string; signal: AbortSignal }): Promise<ProgramAnswer>;
}

interface Room {
  opened: Promise<{ ok: true; sandbox: Sandbox } | NotOpened>;
  /** The end of the last run that was asked for. */
  last: Promise<unknown>;
}

/** The grader programs of one split. Dispose it when nothing runs any more; that closes their sandboxes. */
export function graderPrograms(setting: GraderProgramSetting): GraderPrograms {
  const rooms = new Map<string, Room>();
  const roomFor = (spec: ProgramGraderSpec): Room => {
    // Two graders may share a file; what they may use decides whether they share a sandbox.
    const key = JSON.stringify([spec.path, spec.language, spec.profile, spec.wallMs, spec.memoryBytes]);
    const known = rooms.get(key);
    if (known !== undefined) return known;
    // A sandbox that cannot be had is not asked for again: every case of the split would wait for the same refusal.
    const room: Room = { opened: open(spec, setting, rooms.size), last: Promise.resolve() };
    rooms.set(key, room);
    return room;
  };
  return {
    run: (spec, task, on) => {
      const room = roomFor(spec);
      const turn = room.last.then(() => runIn(room, spec, task, { ...on, onFailure: setting.onFailure }));
      room.last = turn.catch(() => {});
      return turn;
    },
    [Symbol.asyncDispose]: async () => {
      const ends = await Promise.allSettled([...rooms.values()].map(close));
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
}

async function close(room: Room): Promise<void> {
  await room.last;
  const opened = await room.opened;
  if (opened.ok) await opened.sandbox[Symbol.asyncDispose]();
}

function open(spec: ProgramGraderSpec, setting: GraderProgramSetting, index: number): Room['opened'] {
  const { rubric, id, split, signal } = setting;
  const { sandbox, riskTier } = rubric.rubric;
  return openSandbox('Grader programs', spec.profile, setting.drivers, (driver) =>
    driver.open({
      id: `${id}-${split}-grader-${index}`,
      profile: spec.profile,
      program: programOf(spec.language, rubric.text(spec.path)),
      limits: limitsOf(spec),
      cases: 'independent',
      ...{ runtime: sandbox?.runtime, riskTier, door: closedDoor, signal },
    }),
  );
}

/**
 * The entry point that runners look for calls `grade` with the task alone. In Python it lies beside the sponsor's file,
 * whose own names (a helper called `solve`, say) stay its own; JavaScript must be one file for the profile `js`, and a
 * default export adds no name to it.
 */
function programOf(language: ProgramGraderSpec['language'], source: string): SandboxProgram {
  if (language === 'javascript') return { language, source: `${source}\nexport default (task) => grade(task.input);\n` };
  const entry = 'from grader import grade\n\n\ndef solve(task, target):\n    return grade(task["input"])\n';
  return { language, source: entry, files: [{ path: 'grader.py', bytes: Buffer.from(source, 'utf8') }] };
}

const limitsOf = ({ wallMs, memoryBytes }: ProgramGraderSpec): Limits =>
  Limits.parse({ wallMs, cpuMs: wallMs, memoryBytes, processes: 32, answerBytes: 65_536, outputBytes: 65_536 });

interface Asking {
  caseId: string;
  signal: AbortSignal;
  onFailure: GraderProgramSetting['onFailure'];
}

async function runIn(room: Room, spec: ProgramGraderSpec, task: Json, asking: Asking): Promise<ProgramAnswer> {
  const opened = await room.opened;
  if (!opened.ok) {
    if (opened.fault !== 'participant') return { ok: false, faultOf: 'platform', message: opened.message };
    return { ok: false, faultOf: 'sponsor', message: `no sandbox takes the grader program: ${opened.message}` };
  }
  if (asking.signal.aborted) return { ok: false, faultOf: 'platform', message: 'the evaluation was stopped' };
  const run = await opened.sandbox.run({ id: 'grade', input: task, target: null }, asking.signal);
  if (run.kind === 'answer') return { ok: true, answer: run.answer };
  if (run.kind === 'error') return { ok: false, faultOf: 'platform', message: `the grader program could not be run: ${run.message}` };
  asking.onFailure?.({ path: spec.path, caseId: asking.caseId, message: wordsOf(run), log: run.log });
  return { ok: false, faultOf: 'sponsor', message: failureOf(run) };
}

type Failed = Exclude<CaseRun, { kind: 'answer' | 'error' }>;

const wordsOf = (run: Failed): string => (run.kind === 'limit' ? run.message : `${run.code}: ${run.message}`);

/** The kind of failure, in words of ours alone. */
function failureOf(run: Failed): string {
  if (run.kind === 'limit') return `the grader program exceeded its limit of ${run.limit}`;
  const kinds = {
    program_error: 'the grader program ended with an exception',
    invalid_output: "the grader program's answer is no JSON, or too large",
    early_exit: 'the grader program ended before it gave an answer',
  };
  return kinds[run.code];
}
