import { z } from 'zod';
import { GraderSpec } from './graders.ts';
import { Slug } from './ids.ts';
import { Json } from './json.ts';
import { JudgeSpec } from './judging.ts';
import { MetricSpec } from './metrics.ts';
import { RiskTier } from './risk-tier.ts';
import { checkReferences } from './rubric-references.ts';
import { CaseIsolation, Language, Limits, Profile } from './sandbox.ts';
import { Source } from './sources.ts';
import { Outcome } from './status.ts';
import { SubmissionKind } from './submission.ts';
import { Budget, TargetSpec } from './target.ts';

export const Split = z.enum(['public', 'hidden', 'holdout']);
export type Split = z.infer<typeof Split>;

/** A path inside the rubric's folder: relative, forward slashes, no `..`, no hidden files. */
export const RubricPath = z
  .string()
  .max(200)
  .regex(/^(?!.*(^|\/)\.)[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, 'a relative path inside the rubric folder');

/** A JSON Schema (draft 2020-12 subset that ajv compiles in strict mode). */
const JsonSchemaObject = z.record(z.string(), Json);

export const SubmissionForm = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('answers'),
    /** Schema of the answer to one case. */
    schema: JsonSchemaObject,
    maxBytes: z.number().int().positive().max(16_777_216).default(1_048_576),
  }),
  z.strictObject({
    kind: z.literal('prompts'),
    maxMessages: z.number().int().min(1).max(100).default(1),
    maxCharacters: z.number().int().min(1).max(100_000).default(4_000),
    /** One text for all cases, under the key `template`: every `{slot}` in it is replaced by the case's text at `fill`. */
    template: z.strictObject({ slot: Slug, fill: Source }).optional(),
    /** The prompt is sent inside the case's own text at `of`, in place of every `{slot}` there. */
    frame: z.strictObject({ slot: Slug, of: Source }).optional(),
    /** A list is no conversation: each case sends the one text at its own position, which is read here and counted from 1. */
    position: Source.optional(),
  }),
  z.strictObject({
    kind: z.literal('defence'),
    maxCharacters: z.number().int().min(1).max(100_000).default(8_000),
    /** What is sent as the user's message of each case. */
    message: Source.default('input/prompt'),
  }),
  z.strictObject({
    kind: z.literal('program'),
    languages: z.array(Language).min(1).default(['javascript', 'python']),
    maxBytes: z.number().int().positive().max(4_194_304).default(262_144),
    /** Schema of what the entry point returns for one case. */
    schema: JsonSchemaObject,
  }),
  z.strictObject({
    kind: z.literal('image'),
    /** Schema of what the image's program answers for one case. */
    schema: JsonSchemaObject,
  }),
  z.strictObject({
    kind: z.literal('report'),
    /** Of the report's text. */
    maxCharacters: z.number().int().min(200).max(200_000).default(50_000),
    /** Pieces of evidence (transcript, log, steps to reproduce) that must come with it. */
    minEvidence: z.number().int().min(0).max(20).default(1),
  }),
]);
export type SubmissionForm = z.infer<typeof SubmissionForm>;

/** The languages of programs that these forms take. */
export const acceptedLanguages = (forms: readonly SubmissionForm[]): Language[] =>
  forms.flatMap((form) => (form.kind === 'program' ? form.languages : []));

/** A random text drawn from the evaluation's seed; what the target must keep and the grader looks for. */
export const SecretSpec = z.strictObject({
  name: Slug,
  alphabet: z.enum(['alphanumeric', 'letters', 'digits']).default('alphanumeric'),
  length: z.number().int().min(6).max(64),
  per: z.enum(['case', 'evaluation']).default('case'),
});
export type SecretSpec = z.infer<typeof SecretSpec>;

export const Criterion = z.strictObject({
  name: Slug,
  title: z.string().max(200),
  grader: GraderSpec,
  /** Share in the case's score, relative to the other criteria; 0 reports without counting. */
  weight: z.number().min(0).max(1000).default(1),
  /** Only for these kinds of submission; all when absent. */
  for: z.array(SubmissionKind).min(1).optional(),
  /**
   * `case`: below `atLeast` the case scores 0. `submission`: below it on any case the whole submission is `invalid`
   * (a rule of the challenge was broken).
   */
  gate: z.strictObject({ scope: z.enum(['case', 'submission']), atLeast: z.number().min(0).max(1).default(1) }).optional(),
});
export type Criterion = z.infer<typeof Criterion>;

export const Control = z.strictObject({
  path: RubricPath,
  title: z.string().max(200),
  /** `oracle` must reach the maximum, `null` must stay below the pass threshold, the others within `expect`. */
  role: z.enum(['oracle', 'null', 'cheat', 'honest']),
  phase: Slug.optional(),
  expect: z.strictObject({ outcome: Outcome.optional(), min: z.number().optional(), max: z.number().optional() }).default({}),
});
export type Control = z.infer<typeof Control>;

/** A metric that must reach a value, by itself or by the lower bound of its interval. */
export const PassRule = z.strictObject({ metric: Slug, atLeast: z.number(), bound: z.enum(['lower', 'point']).default('point') });
export type PassRule = z.infer<typeof PassRule>;

export const Phase = z.strictObject({ name: Slug, title: z.string().max(200), splits: z.array(Split).min(1) });
export type Phase = z.infer<typeof Phase>;

export const Rubric = z
  .strictObject({
    format: z.literal(1),
    name: Slug,
    title: z.string().min(3).max(120),
    summary: z.string().min(10).max(400),
    tags: z.array(Slug).max(20).default([]),
    riskTier: RiskTier,
    /** Hidden cases can be read by anyone (they are in a public repository): no bounty can be put on it. */
    demonstration: z.boolean().default(false),
    /** Plain words a participant must read first: what is simulated, what is missing. */
    notice: z.string().max(2000).optional(),
    attribution: z.array(z.strictObject({ what: z.string().max(300), source: z.url().max(500), license: z.string().max(100) })).default([]),
    submission: z.array(SubmissionForm).min(1).max(4),
    targets: z.array(TargetSpec).max(16).default([]),
    budget: Budget.default({ calls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 }),
    /** Models that judge; no submission can reach them. */
    judges: z.array(JudgeSpec).max(8).default([]),
    /** Upper bounds for all judge calls of one evaluation; apart from `budget`, so that no submission can use it up. */
    judging: Budget.default({ calls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 }),
    /** What shows that a judge's grades can be believed: reports of `collective calibrate --out`, one per grading and held-out judge. */
    calibrations: z
      .array(z.strictObject({ criterion: Slug, report: RubricPath }))
      .max(32)
      .default([]),
    secrets: z.array(SecretSpec).max(8).default([]),
    sandbox: z
      .strictObject({
        profiles: z.array(Profile).min(1),
        limits: Limits.prefault({}),
        cases: CaseIsolation.default('independent'),
        /** Demands gVisor: work waits for a worker that has it. */
        runtime: z.literal('runsc').optional(),
      })
      .optional(),
    cases: z.strictObject({ public: RubricPath, hidden: RubricPath.optional(), holdout: RubricPath.optional() }),
    /** The first phase is the one a submission enters when it names none. */
    phases: z.array(Phase).min(1).max(8),
    /** Repeats of every case, each with its own seed. */
    trials: z.number().int().min(1).max(20).default(1),
    criteria: z.array(Criterion).min(1).max(32),
    metrics: z.array(MetricSpec).min(1).max(32),
    /** Name of the metric that is the score. */
    score: Slug,
    pass: z.strictObject({
      threshold: z.number(),
      /** The bound of the score's interval that must reach the threshold. */
      bound: z.enum(['lower', 'point']).default('lower'),
      level: z.number().min(0.5).max(0.999).default(0.95),
      /** What else must hold (useful enough beside safe enough), whatever the score: other metrics that reach a value. */
      require: z.array(PassRule).max(8).optional(),
    }),
    verification: z
      .strictObject({
        replicas: z.number().int().min(1).max(10).default(3),
        agreement: z.number().min(0).max(1).default(1),
        /** How far above the threshold a true score lies that verification must recognise with power 0.8; see `rubrics/gates/power.ts`. */
        margin: z.number().positive().max(1).optional(),
        /** Confidence level of the bound that decides; that of `pass` when absent. */
        level: z.number().min(0.5).max(0.999).optional(),
      })
      .prefault({}),
    /** `public` always gives full feedback; a hidden score is rounded to this step; holdout answers yes or no. */
    feedback: z.strictObject({ hiddenRounding: z.number().min(0.0001).max(0.5).default(0.01) }).prefault({}),
    bounties: z
      .array(
        z.strictObject({
          name: Slug,
          threshold: z.number(),
          amountMinor: z.number().int().positive(),
          currency: z.string().regex(/^[A-Z]{3}$/),
          count: z.number().int().positive(),
        }),
      )
      .default([]),
    controls: z.array(Control).default([]),
    /** Shipped submissions that are judged at first start. */
    samples: z.array(z.strictObject({ path: RubricPath, title: z.string().max(200), phase: Slug.optional() })).default([]),
  })
  .superRefine(checkReferences);
export type Rubric = z.infer<typeof Rubric>;

/** One line of a `cases/*.jsonl` file. */
export const Case = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9._-]+$/)
    .max(100),
  /** What participants key their answer with; the id when absent. */
  key: z.string().min(1).max(4096).optional(),
  /** What participants and their programs may see. */
  input: Json,
  /** What graders compare with; never leaves the grading side. */
  expected: Json.optional(),
  /** Cases of one group are resampled together (slots of one dialogue). */
  group: z.string().max(100).optional(),
  /** Which target this case is about; the rubric's first when absent. */
  target: Slug.optional(),
});
export type Case = z.infer<typeof Case>;
export const caseKey = (c: Case): string => c.key ?? c.id;
