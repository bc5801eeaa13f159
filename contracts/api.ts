import { z } from 'zod';
import { ArtifactRecord, CriterionSummary, Grade, MetricValue } from './evaluation.ts';
import { SandboxRecord, WorkerDoctor } from './doctor.ts';
import { Id, Sha256, Slug } from './ids.ts';
import { Json } from './json.ts';
import { Exchange } from './chat.ts';
import { RegradedView } from './regrading.ts';
import { RiskTier } from './risk-tier.ts';
import { Split } from './rubric.ts';
import { LimitKind, Outcome, Reason, Status } from './status.ts';
import { SubmissionDocument, SubmissionKind } from './submission.ts';
import { Usage } from './target.ts';

/** RFC 9457 problem+json. `faultOf` and `advice` are ours: every failure says whose it is and what to do. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
    faultOf: z.enum(['participant', 'platform', 'target', 'sponsor']),
    advice: z.string(),
    instance: z.string().optional(),
    /** Where in the request or rubric each problem is. */
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

const Time = z.string().meta({ format: 'date-time' });

export const PageQuery = z.object({
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(25),
});
export const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), nextCursor: z.string().nullable() });

export const ChallengeSummary = z
  .object({
    slug: Slug,
    title: z.string(),
    summary: z.string(),
    tags: z.array(z.string()),
    riskTier: RiskTier,
    demonstration: z.boolean(),
    simulated: z.boolean(),
    submissionKinds: z.array(SubmissionKind),
    rubricHash: Sha256,
    submissions: z.number().int(),
    bestScore: z.number().nullable(),
    createdAt: Time,
  })
  .meta({ id: 'ChallengeSummary' });
export type ChallengeSummary = z.infer<typeof ChallengeSummary>;

export const ChallengeQuery = PageQuery.extend({
  /** Words to look for in title, summary and tags. */
  q: z.string().max(200).optional(),
  tag: Slug.optional(),
});

/** A rubric said in sentences, section by section; made by `rubricInWords`. */
export const RubricWords = z.array(z.object({ heading: z.string(), sentences: z.array(z.string()) }));
export type RubricWords = z.infer<typeof RubricWords>;

/** May money hang on the scores of a challenge, as far as they depend on judges? */
export const JudgeMoney = z.object({
  judged: z.boolean(),
  holdsMoney: z.boolean(),
  /** Why not, in words; empty when it may. */
  reasons: z.array(z.string()),
});
export type JudgeMoney = z.infer<typeof JudgeMoney>;

export const ChallengeDetail = ChallengeSummary.extend({
  notice: z.string().nullable(),
  attribution: z.array(z.object({ what: z.string(), source: z.string(), license: z.string() })),
  /** Markdown for participants; untrusted. */
  readme: z.string(),
  words: RubricWords,
  judgeMoney: JudgeMoney,
  phases: z.array(z.object({ name: Slug, title: z.string(), splits: z.array(Split), cases: z.number().int() })),
  /** The rubric's submission forms, for building a form; JSON of `SubmissionForm[]`. */
  forms: z.array(z.record(z.string(), Json)),
  /** The public cases' keys and inputs, up to 200, for building a form. */
  publicCases: z.array(z.object({ id: z.string(), key: z.string(), input: Json })),
  publicCaseCount: z.number().int(),
  /** Can a worker that is alive now run each form, and if not why. */
  runnable: z.array(z.object({ need: z.string(), available: z.boolean(), reason: z.string().nullable() })),
}).meta({ id: 'ChallengeDetail' });
export type ChallengeDetail = z.infer<typeof ChallengeDetail>;

export const RubricSource = z.object({
  hash: Sha256,
  files: z.array(z.object({ path: z.string(), bytes: z.number().int(), text: z.string().nullable() })),
});
export type RubricSource = z.infer<typeof RubricSource>;

/** Unknown keys are refused: a mistyped `phase` would otherwise enter another phase than the one that was meant. */
export const CreateSubmission = z
  .strictObject({
    title: z.string().trim().min(1).max(200).optional(),
    phase: Slug.optional(),
    submission: SubmissionDocument,
  })
  .meta({ id: 'CreateSubmission' });
export type CreateSubmission = z.infer<typeof CreateSubmission>;

/** Why an evaluation waits, who is awaited and when the wait ends by itself. */
export const Waiting = z.object({ reason: Reason, since: Time, deadlineAt: Time.nullable(), queuePosition: z.number().int().nullable() });

export const EvaluationView = z
  .object({
    id: Id,
    submissionId: Id,
    challenge: Slug,
    phase: Slug,
    rubricHash: Sha256,
    status: Status,
    outcome: Outcome.nullable(),
    reason: Reason.nullable(),
    waiting: Waiting.nullable(),
    /** What the feedback policy lets the participant see; null while running and on `error`. */
    score: z.number().nullable(),
    interval: z.tuple([z.number(), z.number()]).nullable(),
    /** True when hidden cases are in the score: it is rounded and has no per-case part. */
    rounded: z.boolean(),
    metrics: z.record(z.string(), MetricValue),
    criteria: z.array(CriterionSummary),
    progress: z.object({ done: z.number().int(), of: z.number().int() }),
    usage: Usage.nullable(),
    simulated: z.boolean(),
    /** Where submitted code ran and which risks were accepted there; empty where none ran. */
    sandbox: z.array(SandboxRecord),
    attempt: z.number().int(),
    /** `returned`: this evaluation costs the participant nothing. */
    attemptCost: z.enum(['open', 'spent', 'returned']),
    seedCommitment: Sha256.nullable(),
    /** Revealed when done. */
    seed: z.string().nullable(),
    resultHash: Sha256.nullable(),
    createdAt: Time,
    startedAt: Time.nullable(),
    doneAt: Time.nullable(),
    lastEventSeq: z.number().int(),
    /** The verdict before this one, where a newer version graded it again; null where the verdict is the run's own. */
    regraded: RegradedView.nullable(),
  })
  .meta({ id: 'Evaluation' });
export type EvaluationView = z.infer<typeof EvaluationView>;

export const SubmissionView = z
  .object({
    id: Id,
    challenge: Slug,
    title: z.string(),
    kind: SubmissionKind,
    contentHash: Sha256,
    contentBytes: z.number().int(),
    participant: z.string(),
    /** True for the submissions that ship with a rubric and are judged at first start. */
    sample: z.boolean(),
    createdAt: Time,
    evaluation: EvaluationView,
  })
  .meta({ id: 'Submission' });
export type SubmissionView = z.infer<typeof SubmissionView>;

export const CaseView = z
  .object({
    caseId: z.string(),
    key: z.string(),
    split: z.literal('public'),
    trial: z.number().int(),
    end: z.string(),
    limit: LimitKind.nullable(),
    message: z.string().nullable(),
    score: z.number().nullable(),
    grades: z.array(Grade),
    usage: Usage,
    wallMs: z.number(),
    hasTranscript: z.boolean(),
    hasLog: z.boolean(),
    /** What it left behind, to be downloaded by position. */
    artifacts: z.array(ArtifactRecord),
  })
  .meta({ id: 'Case' });
export type CaseView = z.infer<typeof CaseView>;

export const CaseDetail = z.object({ case: CaseView, input: Json, transcript: z.array(Exchange), log: z.string().nullable() });
export type CaseDetail = z.infer<typeof CaseDetail>;

export const StandingView = z
  .object({
    rank: z.number().int(),
    /** Ranks of entries whose intervals overlap this one's: first and last place it may truly have. */
    rankRange: z.tuple([z.number().int(), z.number().int()]),
    participant: z.string(),
    sample: z.boolean(),
    submissionId: Id,
    submissionTitle: z.string(),
    score: z.number(),
    interval: z.tuple([z.number(), z.number()]).nullable(),
    outcome: Outcome,
    /** `provisional` until independent replicas agree (a later stage). */
    standing: z.enum(['provisional', 'verified']),
    at: Time,
  })
  .meta({ id: 'Standing' });
export type StandingView = z.infer<typeof StandingView>;

export const SystemView = z
  .object({
    version: z.string(),
    firstStart: z.object({ done: z.number().int(), of: z.number().int() }),
    queues: z.array(z.object({ name: z.string(), waiting: z.number().int() })),
    workers: z.array(
      z.object({
        id: Id,
        stages: z.array(z.string()),
        needs: z.array(z.string()),
        unavailable: z.array(z.object({ need: z.string(), reason: z.string(), install: z.string() })),
        /** Null for a worker that runs no submitted code. */
        doctor: WorkerDoctor.nullable(),
        lastSeenAt: Time,
      }),
    ),
    account: z.string().nullable(),
  })
  .meta({ id: 'System' });
export type SystemView = z.infer<typeof SystemView>;
