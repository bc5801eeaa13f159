import { z } from 'zod';

/** Where an evaluation is. Who or what is awaited is in `waiting`; how it ended is in `Outcome`. */
export const Status = z.enum(['received', 'screening', 'queued', 'running', 'grading', 'verifying', 'done', 'parked']);
export type Status = z.infer<typeof Status>;

/** How an evaluation ended. Only `pass` may ever touch money. */
export const Outcome = z.enum(['pass', 'fail', 'needs_review', 'invalid', 'limit', 'cancelled', 'error']);
export type Outcome = z.infer<typeof Outcome>;

/** Which limit a participant's program exceeded. */
export const LimitKind = z.enum(['cpu', 'wall', 'memory', 'output', 'disk', 'processes', 'budget']);
export type LimitKind = z.infer<typeof LimitKind>;

/** Whose fault a failure is. Decides whether the attempt is returned and whether a retry makes sense. */
export const FaultOf = z.enum(['participant', 'platform', 'target', 'sponsor']);
export type FaultOf = z.infer<typeof FaultOf>;

/** Why something ended or waits, in words for the person who reads it. */
export const Reason = z.object({
  /** Stable machine-readable code, snake_case. */
  code: z.string().regex(/^[a-z0-9_]+$/),
  faultOf: FaultOf,
  /** What happened, one sentence. */
  message: z.string().max(2000),
  /** What the reader can do about it, one sentence. */
  advice: z.string().max(1000),
});
export type Reason = z.infer<typeof Reason>;

/** A worker holds a lease in these. */
export const isLeased = (status: Status): boolean =>
  status === 'screening' || status === 'running' || status === 'grading' || status === 'verifying';
