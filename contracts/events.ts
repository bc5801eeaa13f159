import { z } from 'zod';
import { Id } from './ids.ts';
import { Split } from './rubric.ts';
import { Outcome, Reason, Status } from './status.ts';
import { Usage } from './target.ts';

/** What a person following an evaluation is told. From hidden and holdout splits no `case` event is ever written. */
export const EvaluationEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('status'), status: Status, outcome: Outcome.nullable(), reason: Reason.nullable() }),
  /** Why nothing moves, since when, and when the wait ends by itself. */
  z.object({ kind: z.literal('waiting'), reason: Reason, deadlineAt: z.string().nullable() }),
  z.object({ kind: z.literal('split'), split: Split, state: z.enum(['started', 'finished']), cases: z.number().int() }),
  z.object({
    kind: z.literal('case'),
    caseId: z.string(),
    split: z.literal('public'),
    trial: z.number().int(),
    end: z.string(),
    score: z.number().nullable(),
    done: z.number().int(),
    of: z.number().int(),
  }),
  z.object({ kind: z.literal('usage'), usage: Usage }),
  z.object({ kind: z.literal('retry'), attempt: z.number().int(), of: z.number().int(), reason: Reason, nextAttemptAt: z.string() }),
  z.object({
    kind: z.literal('verdict'),
    outcome: Outcome,
    score: z.number().nullable(),
    interval: z.tuple([z.number(), z.number()]).nullable(),
  }),
  /** A newer version graded it again: what it says now. Comes after `done`; whoever stopped following sees it on the page. */
  z.object({
    kind: z.literal('regraded'),
    outcome: Outcome,
    score: z.number().nullable(),
    interval: z.tuple([z.number(), z.number()]).nullable(),
    from: z.object({ outcome: Outcome, score: z.number().nullable() }),
    reason: z.string(),
  }),
]);
export type EvaluationEvent = z.infer<typeof EvaluationEvent>;

export const StoredEvent = z.object({ evaluationId: Id, seq: z.number().int().positive(), at: z.string(), event: EvaluationEvent });
export type StoredEvent = z.infer<typeof StoredEvent>;
