import type { Exchange } from '../contracts/chat.ts';
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
  world: SimulatedWorld;
  signal: AbortSignal;
  /** Called once per finished call, in the order of finishing. */
  record(ref: CaseRef, exchange: Exchange): void;
}

/** A door bound to one case: every call through it is attributed to that case. */
export interface CaseDoor extends ModelDoor {
  readonly ref: CaseRef;
  /** Calls made by the submission so far, in order. */
  exchanges(): readonly Exchange[];
}

/** The metered door of one evaluation. Disposing it settles the budget; calls still open are aborted first. */
export interface GatewaySession extends AsyncDisposable {
  /** A door for one case; `askedBy: 'grader'` calls do not count against `callsPerCase`. */
  door(ref: CaseRef, askedBy: Exchange['askedBy']): CaseDoor;
  /** A door for a sandbox that runs one case after another; calls go to the case that is current. */
  sandboxDoor(): ModelDoor & { enter(door: CaseDoor | null): void };
  usage(): Usage;
  /** First transport fault that retries could not cure; its presence makes the evaluation `error`. */
  transportFault(): string | null;
}

export interface Gateway {
  open(options: SessionOptions): Promise<{ ok: true; session: GatewaySession } | { ok: false; message: string }>;
}
