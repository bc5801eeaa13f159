import type { ChatRequest, ChatResult, Exchange, ReplyCache } from '../contracts/chat.ts';
import type { Case, Split } from '../contracts/rubric.ts';
import type { ModelDoor } from '../contracts/sandbox.ts';
import type { Allotment, Budget, TargetSpec, Usage } from '../contracts/target.ts';

/** What a simulated model may know: the trusted side of the evaluation it plays in. */
export interface SimulatedWorld {
  cases: readonly { split: Split; case: Case }[];
  /** Secrets of one case and trial, drawn from the seed. */
  secretsOf(caseId: string, trial: number): Readonly<Record<string, string>>;
  /** Hexadecimal seed of the evaluation. */
  seed: string;
  /** Text of a file of the rubric. */
  text(path: string): string;
}

export interface CaseRef {
  caseId: string;
  split: Split;
  trial: number;
}

export interface SessionOptions {
  targets: readonly TargetSpec[];
  budget: Budget;
  allotment: Allotment;
  /** Models that judge, as `targetOfJudge` makes them: only doors of `askedBy: 'judge'` reach them, and nothing else. */
  judges: readonly TargetSpec[];
  /** The judges' own purse, so that no submission can use it up; `replies` is null where kept replies must not be believed. */
  judging: { budget: Budget; allotment: Allotment; replies: ReplyCache | null };
  world: SimulatedWorld;
  signal: AbortSignal;
  /** Called once per finished call, in the order of finishing. */
  record(ref: CaseRef, exchange: Exchange): void;
}

/** A door bound to one case: every call through it is attributed to that case. */
export interface CaseDoor extends ModelDoor {
  readonly ref: CaseRef;
  /** Calls made through this door so far, in order. */
  exchanges(): readonly Exchange[];
}

/** What is special to one call of a judge. */
export interface JudgeCall {
  timeoutMs?: number | undefined;
  fresh?: boolean;
}

/** The door to the judges. */
export interface JudgeDoor extends CaseDoor {
  /**
   * `timeoutMs`: longest time for the whole answer, whatever the provider sends meanwhile. Waits for its turn are not
   * counted, but with them the call ends after three times as long (`wholeCallMs`), as a transport fault. `fresh`: no kept reply answers the call, and its own is not kept.
   */
  chat(request: ChatRequest, signal: AbortSignal, how?: JudgeCall): Promise<ChatResult>;
  /** Takes the replies that this door kept or was given back out of the cache: nothing came of them. */
  forgetReplies(): Promise<void>;
}

/** The metered door of one evaluation. Disposing it settles the budget; calls still open are aborted first. */
export interface GatewaySession extends AsyncDisposable {
  /** A door for one case; only calls of the submission count against `callsPerCase`, and only `'judge'` reaches judges. */
  door(ref: CaseRef, askedBy: 'judge'): JudgeDoor;
  door(ref: CaseRef, askedBy: 'submission' | 'grader'): CaseDoor;
  /** A door for a sandbox that runs one case after another; calls go to the case that is current. */
  sandboxDoor(): ModelDoor & { enter(door: CaseDoor | null): void };
  /** What calls to targets used. */
  usage(): Usage;
  /** What calls to judges used: the sponsor's cost, never the participant's. */
  judgeUsage(): Usage;
  /**
   * First transport fault of a target that retries could not cure; its presence makes the evaluation `error`. Judges do
   * not count: another judge may save the case, and else its grade is an `error` by itself.
   */
  transportFault(): string | null;
}

export interface Gateway {
  open(options: SessionOptions): Promise<{ ok: true; session: GatewaySession } | { ok: false; message: string }>;
}
