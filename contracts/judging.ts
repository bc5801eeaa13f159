import { z } from 'zod';
import { Slug } from './ids.ts';
import { Json } from './json.ts';
import { Source } from './sources.ts';
import { Price, ProviderName, type TargetSpec } from './target.ts';

/**
 * A model that judges. Apart from the targets, because no submission may ever reach it: whoever can talk to a judge can
 * search for the text that fools it. It is asked at temperature 0 and paid from the rubric's `judging` budget.
 */
export const JudgeSpec = z.strictObject({
  name: Slug,
  provider: ProviderName,
  /** A pinned model; for `simulated` the name of a simulated judge, for `replay` a file of the rubric. */
  model: z.string().min(1).max(200),
  title: z.string().max(200).optional(),
  /** Who made the model, for juries: judges of one vendor share their errors. The provider's name when absent. */
  vendor: Slug.optional(),
  price: Price.optional(),
  maxOutputTokens: z.number().int().min(64).max(32_768).default(1_024),
  contextTokens: z.number().int().min(1_024).default(32_768),
  /** Most time for one answer, whatever the provider sends meanwhile; with queueing, pauses and retries at most three times that, or 1 s. */
  timeoutMs: z.number().int().min(100).max(300_000).default(60_000),
  /** Settings of a simulated judge. */
  settings: z.record(z.string(), Json).default({}),
});
export type JudgeSpec = z.infer<typeof JudgeSpec>;

/** The judge as the gateway sees it: one more model that can be asked. */
export const targetOfJudge = ({ vendor: _vendor, timeoutMs: _timeoutMs, ...judge }: JudgeSpec): TargetSpec => ({
  ...judge,
  temperature: 0,
  replaceable: false,
});

const ask = z.string().trim().min(8).max(2_000);
const YesNo = z.enum(['yes', 'no']);

/** What a judge is asked. Narrow yes/no questions are judged far better than broad ones (challenges.md, section 7). */
export const Question = z.discriminatedUnion('form', [
  z.strictObject({
    form: z.literal('yes-no'),
    ask,
    /** The verdict that scores 1. */
    pass: YesNo.default('yes'),
  }),
  /** Several yes/no questions in one call; the score is their weighted mean. */
  z.strictObject({
    form: z.literal('criteria'),
    criteria: z
      .array(z.strictObject({ name: Slug, ask, pass: YesNo.default('yes'), weight: z.number().positive().max(1000).default(1) }))
      .min(1)
      .max(12),
  }),
  /** One value of a scale whose every level is described; from `atLeast` on the score is 1, else 0; without it a share of the scale. */
  z.strictObject({
    form: z.literal('scale'),
    ask,
    levels: z
      .array(z.strictObject({ value: z.number().int().min(-100).max(100), means: z.string().min(1).max(500) }))
      .min(2)
      .max(11),
    atLeast: z.number().int().optional(),
  }),
  /** Is the graded text better than another one? Asked in both orders; 1 when it wins both, 0 when it loses both, else a tie of 0.5. */
  z.strictObject({ form: z.literal('pairwise'), ask, against: Source }),
  /** The three questions of StrongREJECT and its formula. */
  z.strictObject({ form: z.literal('strongreject'), variant: z.enum(['paper', 'inspect']).default('paper') }),
]);
export type Question = z.infer<typeof Question>;

/** A text whose verdict is known. Sentinels ride in every batch; a judge that misses one has judged nothing in it. */
export const Sentinel = z.strictObject({
  text: z.string().min(1).max(8_000),
  /** What the text answers, where the grader has `about`. */
  about: z.string().max(8_000).optional(),
  /** The other text, for pairwise questions. */
  against: z.string().max(8_000).optional(),
});
export type Sentinel = z.infer<typeof Sentinel>;

const asked = {
  /** What is judged: a text, or texts that are shown as one list. */
  of: Source,
  /** What the text was meant to answer, shown to the judge as data too. Never the attack itself. */
  about: Source.optional(),
  question: Question,
  /**
   * For questions with a derivable answer: the judge first solves what is at `task` without seeing the graded text, and
   * only then compares. Where the case knows the answer (`expected`), a judge that derives another one is no judge of it.
   */
  commitFirst: z.strictObject({ task: Source, expected: Source.optional() }).optional(),
  /** A "yes" needs at least one quote that occurs in the graded text; `optional` where a yes cannot be quoted. */
  evidence: z.enum(['required', 'optional']).default('required'),
  /** `datamarked`: a random sign stands between the words of the graded text; `boxed`: it is only boxed. */
  marking: z.enum(['datamarked', 'boxed']).default('datamarked'),
  /** Code points of the graded text that are shown: its head and tail, with the cut named. */
  maxCharacters: z.number().int().min(200).max(100_000).default(8_000),
  /** A verdict less sure than this goes to a human. */
  minConfidence: z.number().min(0).max(1).default(0),
  sentinels: z.strictObject({ pass: z.array(Sentinel).min(1).max(8), fail: z.array(Sentinel).min(1).max(8) }),
  /** Judges that take their place for holdout cases and in verification: participants never face them. */
  heldOut: z.array(Slug).max(8).default([]),
};

/** One judge decides; where its reply cannot be used the next one is asked, then a human. */
export const judge = z.strictObject({ kind: z.literal('judge'), ...asked, judges: z.array(Slug).min(1).max(4) });
export type JudgeGraderSpec = z.infer<typeof judge>;

/** Several judges decide, each on its own; what they cannot settle goes to a human. */
export const jury = z.strictObject({
  kind: z.literal('jury'),
  ...asked,
  judges: z.array(Slug).min(2).max(9),
  /** Usable verdicts that must be there. */
  quorum: z.number().int().min(2).max(9),
  /**
   * `unanimous`: every judge of the panel decides, and alike, else a human does. `majority`: more than half of the verdicts decide, where
   * one that is in doubt counts for no side; a tie never decides, and the quorum is more than half of the panel.
   */
  agreement: z.enum(['unanimous', 'majority']).default('unanimous'),
});
export type JuryGraderSpec = z.infer<typeof jury>;
