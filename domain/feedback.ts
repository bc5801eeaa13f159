import type { CriterionSummary, MetricValue, Verdict } from '../contracts/evaluation.ts';
import type { Split } from '../contracts/rubric.ts';
import type { Outcome, Status } from '../contracts/status.ts';
import type { Usage } from '../contracts/target.ts';

/*
 * What a participant may see of a result. Pure: views, events and standings all ask here, so none of them can be the
 * hole through which a hidden case leaks.
 *
 *   only public cases     everything
 *   with hidden cases     outcome; score, metrics and criteria rounded to the rubric's step, intervals rounded outward;
 *                         no count of cases, since k of n gives the exact score back; usage of the public cases alone
 *   with holdout cases    outcome alone: yes or no
 *   not done, `error`, `cancelled`
 *                         no score: a partial result would make an induced failure a free look
 *
 * An evaluation whose attempt was returned shows no cases either: what costs nothing tells nothing.
 */

export interface FeedbackPolicy {
  splits: readonly Split[];
  /** The step a hidden score is rounded to. */
  hiddenRounding: number;
}

export interface ShownVerdict {
  score: number | null;
  interval: [number, number] | null;
  /** True when hidden cases are in the score. */
  rounded: boolean;
  metrics: Record<string, MetricValue>;
  criteria: CriterionSummary[];
}

export const hasHidden = (splits: readonly Split[]): boolean => splits.some((split) => split !== 'public');
const hasHoldout = (splits: readonly Split[]): boolean => splits.includes('holdout');

/** The part of a verdict that may be shown; `verdict` is null while the evaluation is not done. */
export function shownVerdict(policy: FeedbackPolicy, verdict: Omit<Verdict, 'reason'> | null): ShownVerdict {
  const rounded = hasHidden(policy.splits);
  const nothing: ShownVerdict = { score: null, interval: null, rounded, metrics: {}, criteria: [] };
  if (verdict === null || hasHoldout(policy.splits) || verdict.outcome === 'error' || verdict.outcome === 'cancelled') return nothing;
  if (!rounded) return { score: verdict.score, interval: verdict.interval, rounded, metrics: verdict.metrics, criteria: verdict.criteria };
  const step = policy.hiddenRounding;
  return {
    score: verdict.score === null ? null : roundTo(verdict.score, step),
    interval: verdict.interval === null ? null : [floorTo(verdict.interval[0], step), ceilTo(verdict.interval[1], step)],
    rounded,
    metrics: Object.fromEntries(Object.entries(verdict.metrics).map(([name, metric]) => [name, roundMetric(metric, step)])),
    criteria: verdict.criteria.map((criterion) => roundCriterion(criterion, step)),
  };
}

function roundMetric(metric: MetricValue, step: number): MetricValue {
  return {
    value: roundTo(metric.value, step),
    lower: floorTo(metric.lower, step),
    upper: ceilTo(metric.upper, step),
    method: metric.method,
  };
}

/** How many cases were graded is a count of hidden events (who answered how often), so it goes too. */
function roundCriterion(criterion: CriterionSummary, step: number): CriterionSummary {
  return { ...criterion, mean: criterion.mean === null ? null : roundTo(criterion.mean, step), graded: 0, errors: 0 };
}

/** Usage of the whole evaluation, or of its public cases when hidden ones took part: tokens count what was said. */
export function shownUsage(policy: FeedbackPolicy, usage: { whole: Usage | null; ofPublic: Usage | null }): Usage | null {
  return hasHidden(policy.splits) ? usage.ofPublic : usage.whole;
}

/** May the cases of this split be listed, in this state. */
export function showsCases(split: Split, state: { status: Status; outcome: Outcome | null; attemptCost: string }): boolean {
  if (split !== 'public' || state.outcome === 'error' || state.status === 'parked') return false;
  return state.attemptCost !== 'returned';
}

/**
 * The score a standing ranks by: what the participant is shown, never more exact. A phase with holdout cases answers yes
 * or no, so it ranks by that. `null`: nothing to rank.
 */
export function standingScore(
  policy: FeedbackPolicy,
  verdict: Omit<Verdict, 'reason'>,
): { score: number; interval: [number, number] | null } | null {
  if (verdict.outcome !== 'pass' && verdict.outcome !== 'fail') return null;
  if (hasHoldout(policy.splits)) return { score: verdict.outcome === 'pass' ? 1 : 0, interval: null };
  const { score, interval } = shownVerdict(policy, verdict);
  return score === null ? null : { score, interval };
}

/** Steps like 0.01 have no exact binary form; ten significant digits put 0.07 back where 7 × 0.01 misses it. */
const tidy = (value: number): number => Number(value.toPrecision(10));
const steps = (value: number, step: number): number => tidy(value / step);
const roundTo = (value: number, step: number): number => tidy(Math.round(steps(value, step)) * step);
const floorTo = (value: number, step: number): number => tidy(Math.floor(steps(value, step)) * step);
const ceilTo = (value: number, step: number): number => tidy(Math.ceil(steps(value, step)) * step);
