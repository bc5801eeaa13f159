import { z } from 'zod';
import { Json } from './json.ts';
import { Seed, Sha256 } from './ids.ts';
import { Split } from './rubric.ts';
import { LimitKind, Outcome, Reason, Status } from './status.ts';
import { Usage } from './target.ts';

/** One grader on one case. `score` is null unless `status` is `graded`. */
export const Grade = z.object({
  criterion: z.string(),
  grader: z.string(),
  status: z.enum(['graded', 'needs_review', 'error']),
  score: z.number().min(0).max(1).nullable(),
  /** Small facts a reviewer needs to check the score by hand. */
  evidence: z.record(z.string(), Json),
});
export type Grade = z.infer<typeof Grade>;

/** How one case ended. `answered`: it was graded; the others never reached a grader and score 0 or stop the evaluation. */
export const CaseEnd = z.enum(['answered', 'missing', 'fault', 'limit', 'error']);
export type CaseEnd = z.infer<typeof CaseEnd>;

/** A file that a case left behind; path and content are a participant's. The content is a blob under its hash. */
export const ArtifactRecord = z.object({ path: z.string().regex(/^[ -~]{1,200}$/), sha256: Sha256, bytes: z.number().int().nonnegative() });
export type ArtifactRecord = z.infer<typeof ArtifactRecord>;

export const CaseResult = z.object({
  caseId: z.string(),
  split: Split,
  trial: z.number().int().nonnegative(),
  end: CaseEnd,
  limit: LimitKind.nullable(),
  /** What happened when `end` is not `answered`. */
  message: z.string().nullable(),
  grades: z.array(Grade),
  /** Weighted mean of the grades after case gates, 0..1; null when a grade is missing. */
  score: z.number().min(0).max(1).nullable(),
  /** Hash of the case's transcript blob (JSON array of exchanges), null when no model was called. */
  transcriptHash: Sha256.nullable(),
  /** Hash of what the program printed, null when it printed nothing. */
  logHash: Sha256.nullable(),
  /** Hash of what a program or image answered (canonical JSON), kept for regrading; absent where the submission itself holds the answer. */
  answerHash: Sha256.optional(),
  /** By path; only cases that were answered have any. */
  artifacts: z.array(ArtifactRecord).max(64).default([]),
  usage: Usage,
  /** What judges were asked for this case; the sponsor's cost, not a part of `usage`. Absent when none was paid. */
  judging: Usage.optional(),
  wallMs: z.number().nonnegative(),
});
export type CaseResult = z.infer<typeof CaseResult>;

export const MetricValue = z.object({
  value: z.number(),
  lower: z.number(),
  upper: z.number(),
  method: z.enum(['wilson', 'bootstrap', 'exact']),
  /** Present when the metric is a plain count of cases. */
  numerator: z.number().optional(),
  denominator: z.number().optional(),
});
export type MetricValue = z.infer<typeof MetricValue>;

export const CriterionSummary = z.object({
  name: z.string(),
  title: z.string(),
  weight: z.number(),
  mean: z.number().nullable(),
  graded: z.number().int(),
  errors: z.number().int(),
});
export type CriterionSummary = z.infer<typeof CriterionSummary>;

/** What aggregation makes of all case results: a pure function of rubric, phase and results. */
export const Verdict = z.object({
  outcome: Outcome,
  reason: Reason.nullable(),
  score: z.number().nullable(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
  metrics: z.record(z.string(), MetricValue),
  criteria: z.array(CriterionSummary),
});
export type Verdict = z.infer<typeof Verdict>;

/** The document `collective run --json` prints. */
export const EvaluationReport = z.object({
  challenge: z.string(),
  rubricHash: Sha256,
  submissionHash: Sha256,
  seed: Seed,
  phase: z.string(),
  /** True when any target or judge is simulated. */
  simulated: z.boolean(),
  targets: z.array(z.object({ name: z.string(), provider: z.string(), model: z.string() })),
  judges: z.array(z.object({ name: z.string(), provider: z.string(), model: z.string(), simulated: z.boolean() })).default([]),
  status: Status,
  outcome: Outcome,
  reason: Reason.nullable(),
  score: z.number().nullable(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
  metrics: z.record(z.string(), MetricValue),
  criteria: z.array(CriterionSummary),
  cases: z.array(CaseResult),
  usage: Usage,
  /** What judges were asked; not a part of `usage`. */
  judging: Usage.optional(),
  durationMs: z.number(),
});
export type EvaluationReport = z.infer<typeof EvaluationReport>;
