import { z } from 'zod';
import { Grade, MetricValue } from './evaluation.ts';
import { Id, Sha256, Slug } from './ids.ts';
import { Split } from './rubric.ts';
import { Outcome, Reason } from './status.ts';
import { Usage } from './target.ts';

const Time = z.string().meta({ format: 'date-time' });

/** Why evaluations are graded again, in the operator's words; participants read it. */
export const RegradingReason = z.string().trim().min(1).max(500);

/** One verdict of an evaluation, exact: for operators. */
export const VerdictSide = z.object({
  rubricHash: Sha256,
  outcome: Outcome,
  score: z.number().nullable(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
  metrics: z.record(z.string(), MetricValue),
  resultHash: Sha256,
});
export type VerdictSide = z.infer<typeof VerdictSide>;

const GradeSide = Grade.pick({ status: true, score: true }).nullable();

/** A case whose grades are not the same any more; `null` where a criterion is on one side only. Never for participants: it names hidden cases. */
export const ChangedCase = z.object({
  caseId: z.string(),
  split: Split,
  trial: z.number().int(),
  from: z.number().nullable(),
  to: z.number().nullable(),
  criteria: z.array(z.object({ criterion: z.string(), from: GradeSide, to: GradeSide })),
});
export type ChangedCase = z.infer<typeof ChangedCase>;

/** `stale`: its verdict is another one by now than the one that was previewed, so nothing is applied to it. */
export const RegradingState = z.enum(['previewed', 'applied', 'stale', 'refused']);
export type RegradingState = z.infer<typeof RegradingState>;

/** One evaluation of a preview. */
export const RegradingItem = z
  .object({
    evaluationId: Id,
    submissionId: Id,
    title: z.string(),
    participant: z.string(),
    phase: Slug,
    state: RegradingState,
    from: VerdictSide,
    /** What it comes to; null when it cannot be graded again. */
    to: VerdictSide.nullable(),
    /** Why it cannot. */
    problem: Reason.nullable(),
    /** Mean of every criterion that either version has. */
    criteria: z.array(z.object({ name: z.string(), from: z.number().nullable(), to: z.number().nullable() })),
    cases: z.number().int(),
    changedCases: z.number().int(),
    /** The first of them. */
    changed: z.array(ChangedCase),
    judging: Usage,
  })
  .meta({ id: 'RegradingItem' });
export type RegradingItem = z.infer<typeof RegradingItem>;

/** A preview, and what became of it. */
export const RegradingView = z
  .object({
    id: Id,
    challenge: Slug,
    toRubricHash: Sha256,
    /** False while new submissions are still judged by another version. */
    current: z.boolean(),
    reason: RegradingReason,
    status: z.enum(['previewed', 'applied']),
    /** SHA-256 over everything the preview holds. */
    contentHash: Sha256,
    createdBy: z.string(),
    createdAt: Time,
    appliedAt: Time.nullable(),
    totals: z.object({
      evaluations: z.number().int(),
      refused: z.number().int(),
      /** Whose outcome or score changes. */
      changed: z.number().int(),
      passToFail: z.number().int(),
      failToPass: z.number().int(),
      changedCases: z.number().int(),
      applied: z.number().int(),
      stale: z.number().int(),
    }),
    judging: Usage,
  })
  .meta({ id: 'Regrading' });
export type RegradingView = z.infer<typeof RegradingView>;

/** What an evaluation shows of being graded again: the verdict before, as the feedback policy shows it. */
export const RegradedView = z.object({
  from: z.object({
    rubricHash: Sha256,
    outcome: Outcome,
    score: z.number().nullable(),
    interval: z.tuple([z.number(), z.number()]).nullable(),
  }),
  at: Time,
  reason: RegradingReason,
  /** How many verdicts it has had; the cases of each can be read by its number. */
  verdicts: z.number().int().min(2),
});
export type RegradedView = z.infer<typeof RegradedView>;
