import type { Exchange, ReplyCache } from '../contracts/chat.ts';
import type { CaseResult, Verdict } from '../contracts/evaluation.ts';
import type { Case, Phase, Split } from '../contracts/rubric.ts';
import type { SandboxDriver, SandboxEnvironment } from '../contracts/sandbox.ts';
import type { Reason } from '../contracts/status.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import type { Allotment, TargetSpec, Usage } from '../contracts/target.ts';
import type { CaseRef, Gateway } from '../gateway/session.ts';
import type { Purpose } from '../rubrics/graders/grader.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import type { GraderFailure } from './grader-programs.ts';

/** One submission against one rubric version: everything that decides the result. */
export interface EvaluationPlan {
  /** Names sandboxes and directories; a UUID or a slug. */
  id: string;
  rubric: LoadedRubric;
  phase: Phase;
  submission: SubmissionDocument;
  /** 64 hexadecimal digits. */
  seed: string;
  /** The rubric's targets after an operator's replacement. */
  targets: readonly TargetSpec[];
  /** In verification held-out judges take the place of those that participants face, and no kept reply is believed. */
  purpose: Purpose;
}

export interface CaseTexts {
  /** Canonical JSON of the case's exchanges. */
  transcript: string | null;
  log: string | null;
  /** Canonical JSON of what submitted code answered; null for other submissions, which hold their answers themselves. */
  answer: string | null;
  /** Content of the result's artifacts, in their order. */
  artifacts: readonly Uint8Array[];
}

/** What an evaluation reports while it runs. Every method is awaited: a sink that cannot keep up slows the evaluation. */
export interface EvaluationSink {
  splitStarted(split: Split, cases: number): Promise<void>;
  splitFinished(split: Split, cases: number): Promise<void>;
  /** Called when a sandbox for a split is there, before any case runs in it. */
  sandboxOpened(split: Split, environment: SandboxEnvironment): Promise<void>;
  /** Called once per case and trial, with the texts that its hashes are of; null where a hash is null. */
  caseFinished(result: CaseResult, texts: CaseTexts): Promise<void>;
  /** Called once per finished model call, without waiting. */
  called(ref: CaseRef, exchange: Exchange): void;
  /** Called when all cases ran and aggregation begins. */
  grading(): Promise<void>;
}

export interface EvaluationDeps {
  gateway: Gateway;
  sandboxes: readonly SandboxDriver[];
  allotment: Allotment;
  /** What judges are paid from, and where their replies are kept; see `SessionOptions.judging`. */
  judging: { allotment: Allotment; replies: ReplyCache | null };
  sink: EvaluationSink;
  signal: AbortSignal;
  /** Told what a grader program said besides its answer. It may quote expected answers: only for whoever owns the rubric. */
  graderFailed?: ((failure: GraderFailure) => void) | undefined;
  /** Results of an earlier, killed attempt: these cases are not run again. */
  checkpoint: readonly CaseResult[];
}

export interface EvaluationOutput {
  verdict: Verdict;
  /** Why the submission could not even be opened, by the participant's fault; the verdict is `invalid` then, whatever results there are. */
  refusal: Reason | null;
  /** In the order of the rubric's files; only the finished ones when the outcome is `error`. */
  results: readonly CaseResult[];
  /** What this run used, calls of cases that were not finished included; not what an earlier attempt used. */
  usage: Usage;
  /** The same of calls to judges: the sponsor's cost. */
  judging: Usage;
}

/** A case in the order in which it runs. */
export interface PlannedCase {
  case: Case;
  split: Split;
  trial: number;
}
