import { hash } from 'node:crypto';
import { canonicalJson } from '../contracts/canonical.ts';
import type { Exchange } from '../contracts/chat.ts';
import type { ArtifactRecord, CaseResult } from '../contracts/evaluation.ts';
import type { Json } from '../contracts/json.ts';
import type { Artifact } from '../contracts/sandbox.ts';
import type { SubmissionKind } from '../contracts/submission.ts';
import { sumOfUsage, type Usage } from '../contracts/target.ts';
import type { CaseDoor, GatewaySession, SimulatedWorld } from '../gateway/session.ts';
import type { Purpose } from '../rubrics/graders/grader.ts';
import { type CompiledCriterion, gradeCase } from '../rubrics/grade-case.ts';
import type { Collected, Collector } from './collect.ts';
import type { GraderPrograms } from './grader-programs.ts';
import { type Judging, judgesFailed } from './judging.ts';
import type { CaseTexts, PlannedCase } from './plan.ts';

export interface CaseSetting {
  kind: SubmissionKind;
  /** Every text of the submission, where it is one of texts. */
  submission?: readonly string[] | undefined;
  criteria: readonly CompiledCriterion[];
  session: GatewaySession;
  world: SimulatedWorld;
  purpose: Purpose;
  judging: Judging;
  programs: GraderPrograms;
  collect: Collector;
  /** Says what is wrong with a program's answer, null when it fits the form's schema. */
  faultOfAnswer: (answer: Collected & { end: 'answered' }) => string | null;
  signal: AbortSignal;
}

export interface FinishedCase {
  result: CaseResult;
  transcript: readonly Exchange[];
  texts: CaseTexts;
}

/** Runs and grades one case of one trial. */
export async function runCase(planned: PlannedCase, setting: CaseSetting): Promise<FinishedCase> {
  const ref = { caseId: planned.case.id, split: planned.split, trial: planned.trial };
  const door = setting.session.door(ref, 'submission');
  const asking = setting.session.door(ref, 'grader');
  const judges = setting.session.door(ref, 'judge');
  const doors = [door, asking, judges];
  const collected = checked(await setting.collect(planned, door, setting.signal), setting);
  setting.signal.throwIfAborted();
  if (collected.end !== 'answered')
    return finish(planned, collected, { grades: [], score: collected.end === 'error' ? null : 0 }, doors, null);
  const graded = await gradeCase(
    setting.criteria,
    {
      case: planned.case,
      split: planned.split,
      trial: planned.trial,
      answer: collected.answer,
      submission: setting.submission,
      transcript: door.exchanges(),
      secrets: setting.world.secretsOf(planned.case.id, planned.trial),
      ask: (request) => asking.chat(request, setting.signal),
      purpose: setting.purpose,
      judging: setting.judging.accessOf(judges, setting.signal),
      runProgram: (spec, task) => setting.programs.run(spec, task, { caseId: planned.case.id, signal: setting.signal }),
    },
    setting.kind,
  );
  setting.signal.throwIfAborted();
  if (judgesFailed(setting.criteria, graded.grades)) await judges.forgetReplies();
  return finish(planned, collected, graded, doors, answerText(collected.answer, setting.kind));
}

/** What submitted code answered is nowhere else; of other kinds the submission holds it. */
function answerText(answer: Json | undefined, kind: SubmissionKind): string | null {
  return answer !== undefined && (kind === 'program' || kind === 'image') ? canonicalJson(answer) : null;
}

function checked(collected: Collected, setting: CaseSetting): Collected {
  if (collected.end !== 'answered') return collected;
  const fault = setting.faultOfAnswer(collected);
  return fault === null ? collected : { end: 'fault', message: fault, log: collected.log, wallMs: collected.wallMs };
}

function finish(
  planned: PlannedCase,
  collected: Collected,
  graded: Pick<CaseResult, 'grades' | 'score'>,
  doors: readonly CaseDoor[],
  answer: string | null,
): FinishedCase {
  const transcript = doors.flatMap((door) => door.exchanges());
  const judging = usageOf(transcript.filter((exchange) => exchange.askedBy === 'judge'));
  const log = collected.end === 'error' || collected.log === '' ? null : collected.log;
  const artifacts = byPath(collected.end === 'answered' ? (collected.artifacts ?? []) : []);
  const texts: CaseTexts = {
    transcript: transcript.length > 0 ? canonicalJson(transcript) : null,
    log,
    answer,
    artifacts: artifacts.map(({ bytes }) => bytes),
  };
  return {
    transcript,
    texts,
    result: {
      caseId: planned.case.id,
      split: planned.split,
      trial: planned.trial,
      end: collected.end,
      limit: collected.end === 'limit' ? collected.limit : null,
      message: collected.end === 'answered' ? null : collected.message.slice(0, 2000),
      grades: graded.grades,
      score: graded.score,
      transcriptHash: hashOf(texts.transcript),
      logHash: hashOf(texts.log),
      ...(answer !== null && { answerHash: hash('sha256', answer, 'hex') }),
      artifacts: artifacts.map(recordOf),
      usage: usageOf(transcript.filter((exchange) => exchange.askedBy !== 'judge')),
      ...(judging.calls > 0 && { judging }),
      wallMs: collected.end === 'error' ? 0 : collected.wallMs,
    },
  };
}

/** What the calls of one case took out of the budget: refused calls nothing, calls of unknown use their worst case. */
const usageOf = (transcript: readonly Exchange[]): Usage => sumOfUsage(transcript.map((exchange) => exchange.charged));

/** The order in which a folder is read differs from machine to machine, and no result may depend on it. */
const byPath = (artifacts: readonly Artifact[]): Artifact[] => artifacts.toSorted((a, b) => (a.path < b.path ? -1 : 1));

const recordOf = ({ path, bytes }: Artifact): ArtifactRecord => ({
  path,
  sha256: hash('sha256', bytes, 'hex'),
  bytes: bytes.byteLength,
});

/** Of the UTF-8 bytes, as they are stored. */
const hashOf = (text: string | null): string | null => (text === null ? null : hash('sha256', text, 'hex'));
