import { z } from 'zod';
import { Slug } from './ids.ts';
import { Json } from './json.ts';

export const ProviderName = z.enum(['simulated', 'replay', 'openai', 'anthropic']);
export type ProviderName = z.infer<typeof ProviderName>;

/** Micro-units of USD per million tokens. A target without a price is refused, unless it is simulated or replayed. */
export const Price = z.strictObject({
  inputMicrosPerMillion: z.number().int().nonnegative(),
  outputMicrosPerMillion: z.number().int().nonnegative(),
});
export type Price = z.infer<typeof Price>;

/**
 * A model or system under test, as a rubric names it. Base URLs and keys are the operator's and never come from a
 * rubric: a rubric that could name a URL could reach the worker's own network.
 */
export const TargetSpec = z.strictObject({
  name: Slug,
  provider: ProviderName,
  /** For `simulated`: the name of a simulated model; for `replay`: a file of the rubric with recorded exchanges. */
  model: z.string().min(1).max(200),
  title: z.string().max(200).optional(),
  price: Price.optional(),
  maxOutputTokens: z.number().int().min(1).max(32_768).default(512),
  contextTokens: z.number().int().min(256).default(32_768),
  temperature: z.number().min(0).max(2).default(0),
  /** Settings of a simulated model; their meaning is the model's. */
  settings: z.record(z.string(), Json).default({}),
  /** The person who runs an evaluation may put another configured target in this place. */
  replaceable: z.boolean().default(false),
});
export type TargetSpec = z.infer<typeof TargetSpec>;

/** Upper bounds for one whole evaluation, in calls, tokens and micro-units of USD. */
export const Budget = z.strictObject({
  calls: z.number().int().nonnegative(),
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  costMicros: z.number().int().nonnegative(),
  /** Calls the submission may make for one case. */
  callsPerCase: z.number().int().positive().optional(),
});
export type Budget = z.infer<typeof Budget>;

export const Usage = z.object({
  calls: z.number().int().nonnegative(),
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  costMicros: z.string(),
});
export type Usage = z.infer<typeof Usage>;

/** Sum of any number of usages; nothing for none. Cost stays exact, it may exceed 2^53. */
export function sumOfUsage(usages: readonly Usage[]): Usage {
  return usages.reduce<Usage>(
    (sum, usage) => ({
      calls: sum.calls + usage.calls,
      inputTokens: sum.inputTokens + usage.inputTokens,
      outputTokens: sum.outputTokens + usage.outputTokens,
      costMicros: (BigInt(sum.costMicros) + BigInt(usage.costMicros)).toString(),
    }),
    { calls: 0, inputTokens: 0, outputTokens: 0, costMicros: '0' },
  );
}

/** How much of each budget dimension; cost in micro-units of USD. */
export interface Amount {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  costMicros: bigint;
}

/**
 * Where a session draws its budget from. `draw` makes the amount spent in a durable place before any of it is used,
 * so what a crash leaves unsettled counts as spent; `giveBack` returns what was drawn and not used.
 */
export interface Allotment {
  /** Draws up to `wanted`; the answer may be smaller, down to zero, never larger. */
  draw(wanted: Amount): Promise<Amount>;
  giveBack(unused: Amount): Promise<void>;
}
