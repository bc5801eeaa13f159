import type { MetricValue } from '../contracts/evaluation.ts';
import { metricInputs, type MetricSpec } from '../contracts/metrics.ts';
import type { Rubric } from '../contracts/rubric.ts';
import type { SubmissionKind } from '../contracts/submission.ts';
import { appliesTo } from './grade-case.ts';
import { combinedBounds, harmonicBounds } from './metric-bounds.ts';
import { groupClusters, groupsOf, insideOf, layOut, rescaled, type Specs } from './metric-layout.ts';
import { deriveSeed } from './random.ts';
import { bootstrap, type ClusterTable } from './statistics/bootstrap.ts';
import type { Interval } from './statistics/interval.ts';
import { wilson } from './statistics/wilson.ts';
import { runScore, type ScoreOf, type Unit } from './units.ts';

/**
 * How metrics and their intervals are made. Every metric is a function of a few totals over the cases: a mean needs
 * Σ score and the number of cases, a mean per group both per group, a conditional mean Σ of·given and Σ given; the other
 * kinds combine these. So one bootstrap serves all kinds: it resamples clusters (cases of one `group`, else single
 * cases; trials stay inside their case), inside strata (the groups of a grouped metric, the inside and outside of a
 * `where`), adds the totals up and evaluates the function on them. A plain share of cases gets Wilson's interval instead.
 *
 * No interval may be narrower than Wilson's on the number of clusters that count (for coverage, of groups). A bootstrap alone
 * believes the spread it sees: ten perfect scores show none, nine and a 0.99 almost none, and a perfect submission would stand
 * below a worse one; with five clusters it is wrong in a sixth of the cases instead of a fortieth. Of all values in [0, 1] with
 * a given mean, zeros and ones spread most, so Wilson's holds for any of them. Both bounds rise with every score (the resamples
 * depend on the seed alone), so their minimum does too. A mean over single cases takes Wilson's alone, for the same reason:
 * whether all its scores happen to be 0 or 1 must not choose the method. What is composed of metrics takes the bounds of its
 * inputs together: wider than needed, and never the certainty that nobody has (no leak in 20 cases is no proof of no leaks).
 * See docs/decisions/0017-bounds-that-do-not-reward-spread.md.
 */
export type MetricValues = Record<string, MetricValue>;

export interface MetricOptions {
  level: number;
  seed: string;
}

/** Can this metric be computed for this kind of submission: do all criteria below it apply? */
export function metricApplies(rubric: Rubric, metric: MetricSpec, kind: SubmissionKind): boolean {
  return appliesBelow(rubric, metric, kind, new Map());
}

/** `asked` keeps every answer, so that each metric is asked once, however many name it; one that asks for itself gets no. */
function appliesBelow(rubric: Rubric, metric: MetricSpec, kind: SubmissionKind, asked: Map<string, boolean>): boolean {
  const known = asked.get(metric.name);
  if (known !== undefined) return known;
  asked.set(metric.name, false);
  const inputs = metricInputs(metric);
  const criterionApplies = (name: string) => rubric.criteria.some((c) => c.name === name && appliesTo(c, kind));
  const inputApplies = (name: string) => rubric.metrics.some((m) => m.name === name && appliesBelow(rubric, m, kind, asked));
  const applies = inputs.criteria.every(criterionApplies) && inputs.metrics.every(inputApplies);
  asked.set(metric.name, applies);
  return applies;
}

/** Every metric of the rubric that applies to the kind of submission, with its interval. Deterministic from the seed. */
export function computeMetrics(rubric: Rubric, units: readonly Unit[], kind: SubmissionKind, options: MetricOptions): MetricValues {
  const specs: Specs = new Map(rubric.metrics.map((metric) => [metric.name, metric]));
  const known = new Map<string, MetricValue>();
  for (const metric of rubric.metrics) {
    if (metricApplies(rubric, metric, kind)) known.set(metric.name, computeMetric(metric, { specs, known, units, options }));
  }
  return Object.fromEntries(known);
}

interface Setting {
  specs: Specs;
  /** Metrics declared before this one. */
  known: ReadonlyMap<string, MetricValue>;
  units: readonly Unit[];
  options: MetricOptions;
}

function computeMetric(metric: MetricSpec, setting: Setting): MetricValue {
  if (metric.kind === 'lift' || metric.kind === 'relative') return rescaledMetric(metric, knownOf(setting, metric.of));
  const { units, options, specs } = setting;
  const counted = countedShare(metric, units);
  if (counted && !hasGroups(units)) return plainShare(counted, options.level);
  const { table, all, evaluate } = layOut(metric, specs, units);
  const value = evaluate(all);
  if (isComposed(metric)) {
    const inputs = metricInputs(metric).metrics.map((name) => knownOf(setting, name));
    const bounds = combinedBounds(metric, (name) => knownOf(setting, name));
    const method = inputs.every((input) => input.method === 'wilson') ? 'wilson' : 'bootstrap';
    return { value, ...around(bounds, value), method };
  }
  const worst = worstSpread(metric, { value, table, setting });
  const plain = counted ?? {};
  if (metric.kind === 'mean' && !hasGroups(units)) return { value, ...around(worst, value), method: 'wilson', ...plain };
  const resampled = bootstrap(table, evaluate, { level: options.level, seed: deriveSeed(options.seed, 'bootstrap', metric.name) });
  const method = resampled.lower === resampled.upper ? 'wilson' : 'bootstrap';
  return { value, ...around(widest(worst, resampled), value), method, ...plain };
}

const hasGroups = (units: readonly Unit[]): boolean => units.some((unit) => unit.case.group !== undefined);

const widest = (a: Interval, b: Interval): Interval => ({ lower: Math.min(a.lower, b.lower), upper: Math.max(a.upper, b.upper) });

/** Wilson's interval on the clusters: as wide as zeros and ones with this mean would make it. Of a harmonic mean, each group at its own. */
function worstSpread(metric: SimpleMetric, made: { value: number; table: ClusterTable; setting: Setting }): Interval {
  const { value, table, setting } = made;
  const { units, options } = setting;
  if (metric.kind === 'harmonic-mean') return harmonicBounds(metric, units, options.level);
  const observations = observationsOf(metric, table, units);
  return wilson(value * observations, observations, options.level);
}

type ComposedMetric = Extract<MetricSpec, { kind: 'weighted' | 'product' | 'difference' }>;
type SimpleMetric = Exclude<MetricSpec, ComposedMetric | { kind: 'lift' | 'relative' }>;

const isComposed = (metric: MetricSpec): metric is ComposedMetric =>
  metric.kind === 'weighted' || metric.kind === 'product' || metric.kind === 'difference';

/**
 * Groups of a coverage; else clusters, of a mean only those with something that it counts. A mean of G group means has the
 * variance p(1−p)·Σ(1/n_g)/G², that of G²/Σ(1/n_g) clusters: one small group makes it coarse, however large the others.
 */
function observationsOf(metric: SimpleMetric, { width, sums, strata }: ClusterTable, units: readonly Unit[]): number {
  if (metric.kind === 'coverage') return new Set(groupsOf(metric.by, units)).size;
  const clusters = strata.flatMap((stratum) => [...stratum]);
  if (metric.kind === 'group-mean') {
    const sizes = groupClusters(metric.by, units);
    return Math.min(clusters.length, sizes.length ** 2 / sizes.reduce((sum, size) => sum + 1 / size, 0));
  }
  if (metric.kind !== 'mean' && metric.kind !== 'conditional-mean') return clusters.length;
  return clusters.filter((cluster) => (sums[cluster * width + 1] as number) > 0).length;
}

function knownOf({ known }: Setting, name: string): MetricValue {
  const found = known.get(name);
  if (found === undefined) throw new Error(`the metric "${name}" is not computed before what is made of it`);
  return found;
}

/** An interval of a skewed metric can miss the value itself by rounding; it never should. */
const around = ({ lower, upper }: Interval, value: number): Interval => ({ lower: Math.min(lower, value), upper: Math.max(upper, value) });

/** `lift` and `relative` never fall when the metric below rises, so its quantiles stay quantiles. */
function rescaledMetric(metric: Extract<MetricSpec, { kind: 'lift' | 'relative' }>, inner: MetricValue): MetricValue {
  const move = (x: number) => rescaled(metric, x);
  return { value: move(inner.value), lower: move(inner.lower), upper: move(inner.upper), method: inner.method };
}

interface CountedShare {
  numerator: number;
  denominator: number;
}

function plainShare({ numerator, denominator }: CountedShare, level: number): MetricValue {
  const value = denominator === 0 ? 0 : numerator / denominator;
  const bounds = around(wilson(numerator, denominator, level), value);
  return { value, ...bounds, method: 'wilson', numerator, denominator };
}

/** Successes and cases of a mean or conditional mean, when every case was run once and scored 0 or 1. */
function countedShare(metric: MetricSpec, units: readonly Unit[]): CountedShare | undefined {
  if (units.length === 0) return undefined;
  switch (metric.kind) {
    case 'mean': {
      const inside = insideOf(metric, units);
      return counts(
        units.filter((_, i) => inside[i] === 1),
        metric.of,
        () => 1,
      );
    }
    case 'conditional-mean':
      return counts(units, metric.of, (unit) => singleScore(unit, { criterion: metric.given }));
    default:
      return undefined;
  }
}

function counts(units: readonly Unit[], of: ScoreOf, weight: (unit: Unit) => 0 | 1 | undefined): CountedShare | undefined {
  let numerator = 0;
  let denominator = 0;
  for (const unit of units) {
    const [score, given] = [singleScore(unit, of), weight(unit)];
    if (score === undefined || given === undefined) return undefined;
    numerator += score * given;
    denominator += given;
  }
  return { numerator, denominator };
}

/** The score of a case that was run once and is right or wrong; undefined for any other. */
function singleScore(unit: Unit, of: ScoreOf): 0 | 1 | undefined {
  const [only, ...more] = unit.results;
  if (only === undefined || more.length > 0) return undefined;
  const score = runScore(only, of);
  return score === 0 || score === 1 ? score : undefined;
}
