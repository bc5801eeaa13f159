import type { ChatRequest, ChatResult, Exchange } from '../../contracts/chat.ts';
import type { Grade } from '../../contracts/evaluation.ts';
import type { Json } from '../../contracts/json.ts';
import type { ProgramGraderSpec } from '../../contracts/program-grader.ts';
import type { Case, Split } from '../../contracts/rubric.ts';
import type { JudgeAccess } from '../judging/access.ts';

/** Everything a grader may look at for one case. Submitted material is plain data here, never code. */
export interface GradingContext {
  case: Case;
  split: Split;
  trial: number;
  /** The submission's answer to this case; undefined when it gave none. */
  answer: Json | undefined;
  /** Every text of a submission of answers or prompts, whatever case it is for; absent for other kinds. */
  submission?: readonly string[] | undefined;
  /** Calls the submission made for this case, in order. */
  transcript: readonly Exchange[];
  /** Secrets drawn from the seed for this case. */
  secrets: Readonly<Record<string, string>>;
  /** A metered call on behalf of the grader; recorded with `askedBy: 'grader'`. */
  ask(request: ChatRequest): Promise<ChatResult>;
  /** In verification the held-out judges take the place of those that participants face; for holdout cases they always do. */
  purpose: Purpose;
  judging: JudgeAccess;
  /** Runs the sponsor's grader program for this case in a sandbox of its own. */
  runProgram(spec: ProgramGraderSpec, task: Json): Promise<ProgramAnswer>;
}

export type Purpose = 'grading' | 'verification';

/** What the sandbox observed of a grader program; only `answer` is the program's own word. */
export type ProgramAnswer = { ok: true; answer: Json } | { ok: false; faultOf: 'sponsor' | 'platform'; message: string };

/** What a grader returns; the criterion's name and the grader's kind are added by the caller. */
export type GradeResult = Pick<Grade, 'status' | 'score' | 'evidence'>;

/** A grader compiled once per rubric; pure but for `context.ask`. */
export type Grader = (context: GradingContext) => GradeResult | Promise<GradeResult>;

export const graded = (score: number, evidence: GradeResult['evidence'] = {}): GradeResult => ({ status: 'graded', score, evidence });
