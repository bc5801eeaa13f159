import { z } from 'zod';
import { Slug } from './ids.ts';
import { Source } from './sources.ts';

const metricBase = { name: Slug, title: z.string().max(200) };

/** What a case contributes: its weighted score, or one criterion's. */
const Of = z.union([z.literal('case-score'), z.strictObject({ criterion: Slug })]);
/** Only cases with one of these texts at the source count. */
const Where = z.strictObject({ of: Source, is: z.array(z.string().max(200)).min(1).max(50) });

export const MetricSpec = z.discriminatedUnion('kind', [
  /** Mean of one criterion, or of the weighted case score, over all cases of the phase; a missing answer counts 0. */
  z.strictObject({ ...metricBase, kind: z.literal('mean'), of: Of, where: Where.optional() }),
  /** Σ of·given / Σ given: the mean over what another criterion lets count (attack success among valid runs); 0 where nothing does. */
  z.strictObject({ ...metricBase, kind: z.literal('conditional-mean'), of: Of, given: Slug }),
  /** Mean of the means per group; with the groups safe/unsafe this is balanced accuracy. */
  z.strictObject({ ...metricBase, kind: z.literal('group-mean'), criterion: Slug, by: Source }),
  /** Harmonic mean of the means per group, so that one weak group pulls it down; 0 when one of them is 0. */
  z.strictObject({ ...metricBase, kind: z.literal('harmonic-mean'), criterion: Slug, by: Source }),
  /** Share of the groups in which the mean of the criterion reaches `atLeast`. */
  z.strictObject({
    ...metricBase,
    kind: z.literal('coverage'),
    criterion: Slug,
    by: Source,
    atLeast: z.number().positive().max(1).default(0.5),
  }),
  /** (x - prior) / (1 - prior): what is left of another metric above a guess that needs no model. */
  z.strictObject({ ...metricBase, kind: z.literal('lift'), of: Slug, prior: z.number().min(0).max(0.999) }),
  /** Weighted mean of other metrics. */
  z.strictObject({ ...metricBase, kind: z.literal('weighted'), of: z.record(Slug, z.number().positive()) }),
  /** Product of other metrics, each as it is or as one minus it. */
  z.strictObject({
    ...metricBase,
    kind: z.literal('product'),
    of: z
      .array(z.strictObject({ metric: Slug, complement: z.boolean().default(false) }))
      .min(2)
      .max(8),
  }),
  /** One metric minus another. */
  z.strictObject({ ...metricBase, kind: z.literal('difference'), of: Slug, minus: Slug }),
  /** Another metric divided by a fixed base; at most 1 when `capped`. */
  z.strictObject({ ...metricBase, kind: z.literal('relative'), of: Slug, base: z.number().positive(), capped: z.boolean().default(true) }),
]);
export type MetricSpec = z.infer<typeof MetricSpec>;

/** The criteria and metrics a metric is computed from. */
export function metricInputs(metric: MetricSpec): { criteria: string[]; metrics: string[] } {
  switch (metric.kind) {
    case 'mean':
      return { criteria: metric.of === 'case-score' ? [] : [metric.of.criterion], metrics: [] };
    case 'conditional-mean':
      return { criteria: [...(metric.of === 'case-score' ? [] : [metric.of.criterion]), metric.given], metrics: [] };
    case 'group-mean':
    case 'harmonic-mean':
    case 'coverage':
      return { criteria: [metric.criterion], metrics: [] };
    case 'lift':
    case 'relative':
      return { criteria: [], metrics: [metric.of] };
    case 'weighted':
      return { criteria: [], metrics: Object.keys(metric.of) };
    case 'product':
      return { criteria: [], metrics: metric.of.map(({ metric: name }) => name) };
    case 'difference':
      return { criteria: [], metrics: [metric.of, metric.minus] };
  }
}
