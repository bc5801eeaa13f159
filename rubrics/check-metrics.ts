import type { MetricSpec } from '../contracts/metrics.ts';
import type { Case, Rubric, Split } from '../contracts/rubric.ts';
import type { Source } from '../contracts/sources.ts';
import { asText, resolveCaseSource, sourceHead } from './graders/sources.ts';

type Complain = (path: readonly (string | number)[], message: string) => void;
type Where = Extract<MetricSpec, { kind: 'mean' }>['where'];

/** Groups and filters of cases are read from what a case alone says: a submission must not choose in which group it is counted. */
export function checkMetricSources(rubric: Rubric, complain: Complain): void {
  for (const [i, metric] of rubric.metrics.entries()) {
    const by = groupSource(metric);
    if (by !== undefined && !isOfCase(by)) complain(['metrics', i, 'by'], 'cases are grouped by a value at input or expected');
    const where = whereOf(metric);
    if (where !== undefined && !isOfCase(where.of))
      complain(['metrics', i, 'where', 'of'], 'cases are chosen by a value at input or expected');
  }
}

/** The metrics that need a text where a case has none, each in words. */
export const groupsMissing = (rubric: Rubric, c: Case): string[] =>
  rubric.metrics.flatMap((metric) => {
    const by = groupSource(metric);
    if (by === undefined || !isOfCase(by) || textAt(by, c) !== undefined) return [];
    return [`the metric "${metric.name}" groups by "${by}", but the case has no text there`];
  });

/**
 * A `where` must find cases in every phase: a mean over none is 0, and one minus it would be perfect. A text that no case
 * has is a misspelt one, whose cases would silently not count.
 */
export function checkWheres(rubric: Rubric, cases: Readonly<Record<Split, readonly Case[]>>, complain: Complain): void {
  for (const [i, metric] of rubric.metrics.entries()) {
    const where = whereOf(metric);
    if (where === undefined || !isOfCase(where.of)) continue;
    const textsOf = (splits: readonly Split[]) => new Set(splits.flatMap((split) => cases[split].map((c) => textAt(where.of, c))));
    const all = textsOf(['public', 'hidden', 'holdout']);
    for (const [j, text] of where.is.entries()) {
      if (!all.has(text)) complain(['metrics', i, 'where', 'is', j], `no case has "${text}" at "${where.of}"`);
    }
    for (const phase of rubric.phases) {
      const found = textsOf(phase.splits);
      if (!where.is.some((text) => found.has(text)))
        complain(['metrics', i, 'where'], `"${metric.name}" finds no case in phase "${phase.name}", where it would always be 0`);
    }
  }
}

const isOfCase = (source: Source): boolean => ['input', 'expected'].includes(sourceHead(source));
const textAt = (source: Source, c: Case): string | undefined => asText(resolveCaseSource(source, c))[0];
const groupSource = (metric: MetricSpec): Source | undefined => ('by' in metric ? metric.by : undefined);
const whereOf = (metric: MetricSpec): Where => (metric.kind === 'mean' ? metric.where : undefined);
