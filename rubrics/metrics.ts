import type { MetricValue } from '../contracts/evaluation.ts';
import { metricInputs, type MetricSpec } from '../contracts/metrics.ts';
import type { Rubric } from '../contracts/rubric.ts';
import type { SubmissionKind } from '../contracts/submission.ts';
import { appliesTo } from './grade-case.ts';
import { combinedBounds, unseenSpread } from './metric-bounds.ts';
import { groupsOf, insideOf, layOut, rescaled, type Specs } from './metric-layout.ts';
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
 * Where all resamples agree, as with five perfect scores, the data cannot show their own spread; Wilson's interval on the
 * number of clusters that count (for coverage, of groups) is taken then, which assumes the worst spread. A metric made of such a one
 * would inherit a certainty that nobody has (no leak in 20 cases is no proof of no leaks), so it takes the bounds of its
 * inputs together instead of resampling.
 */
export type MetricValues = Record<string, MetricValue>;

export interface MetricOptions {
  level: number;
  seed: string;
}

/** Can this metric be computed for this kind of submission: do all criteria below it apply? */
export function metricApplies(rubric: Rubric, metric: MetricSpec, kind: SubmissionKind): boolean {
  const inputs = metricInputs(metric);
  const criterionApplies = (name: string) => rubric.criteria.some((c) => c.name === name && appliesTo(c, kind));
  const inputApplies = (name: string) => rubric.metrics.some((m) => m.name === name && m !== metric && metricApplies(rubric, m, kind));
  return inputs.criteria.every(criterionApplies) && inputs.metrics.every(inputApplies);
}

/** Every metric of the rubric that applies to the kind of submission, with its interval. Deterministic from the seed. */
export function computeMetrics(rubric: Rubric, units: readonly Unit[], kind: SubmissionKind, options: MetricOptions): MetricValues {
  const specs: Specs = new Map(rubric.metrics.map((metric) => [metric.name, metric]));
  const known = new Map<string, Known>();
  for (const metric of rubric.metrics) {
    if (metricApplies(rubric, metric, kind)) known.set(metric.name, computeMetric(metric, { specs, known, units, options }));
  }
  return Object.fromEntries([...known].map(([name, { value }]) => [name, value]));
}

interface Known {
  value: MetricValue;
  /** The cases cannot show how much it would vary; its interval is Wilson's, or made of such ones. */
  flat: boolean;
}

interface Setting {
  specs: Specs;
  /** Metrics declared before this one. */
  known: ReadonlyMap<string, Known>;
  units: readonly Unit[];
  options: MetricOptions;
}

function computeMetric(metric: MetricSpec, setting: Setting): Known {
  if (metric.kind === 'lift' || metric.kind === 'relative') return rescaledMetric(metric, knownOf(setting, metric.of));
  const { units, options, specs } = setting;
  const counted = countedShare(metric, units);
  if (counted && !units.some((unit) => unit.case.group !== undefined)) return plainShare(counted, options.level);
  const { table, all, evaluate } = layOut(metric, specs, units);
  const value = evaluate(all);
  const resampled = bootstrap(table, evaluate, { level: options.level, seed: deriveSeed(options.seed, 'bootstrap', metric.name) });
  const agree = resampled.lower === resampled.upper;
  const plain = counted ?? {};
  const unseen = metric.kind === 'harmonic-mean' ? unseenSpread(metric, units, options.level) : null;
  if (unseen) return { value: { value, ...around(unseen, value), method: 'wilson' }, flat: true };
  if (isComposed(metric)) {
    const inputs = metricInputs(metric).metrics.map((name) => knownOf(setting, name));
    if (agree || inputs.some(({ flat }) => flat)) {
      const bounds = combinedBounds(metric, (name) => knownOf(setting, name).value);
      const method = inputs.every((input) => input.value.method === 'wilson') ? 'wilson' : 'bootstrap';
      return { value: { value, ...around(bounds, value), method }, flat: true };
    }
  }
  if (!agree) return { value: { value, ...around(resampled, value), method: 'bootstrap', ...plain }, flat: false };
  const observations = observationsOf(metric, table, units);
  return {
    value: { value, ...around(wilson(value * observations, observations, options.level), value), method: 'wilson', ...plain },
    flat: true,
  };
}

const isComposed = (metric: MetricSpec): metric is Extract<MetricSpec, { kind: 'weighted' | 'product' | 'difference' }> =>
  metric.kind === 'weighted' || metric.kind === 'product' || metric.kind === 'difference';

/** Groups of a coverage; else clusters, of a mean only those with something that it counts. */
function observationsOf(metric: MetricSpec, { width, sums, strata }: ClusterTable, units: readonly Unit[]): number {
  if (metric.kind === 'coverage') return new Set(groupsOf(metric.by, units)).size;
  const clusters = strata.flatMap((stratum) => [...stratum]);
  if (metric.kind !== 'mean' && metric.kind !== 'conditional-mean') return clusters.length;
  return clusters.filter((cluster) => (sums[cluster * width + 1] as number) > 0).length;
}

function knownOf({ known }: Setting, name: string): Known {
  const found = known.get(name);
  if (found === undefined) throw new Error(`the metric "${name}" is not computed before what is made of it`);
  return found;
}

/** An interval of a skewed metric can miss the value itself by rounding; it never should. */
const around = ({ lower, upper }: Interval, value: number): Interval => ({ lower: Math.min(lower, value), upper: Math.max(upper, value) });

/** `lift` and `relative` never fall when the metric below rises, so its quantiles stay quantiles. */
function rescaledMetric(metric: Extract<MetricSpec, { kind: 'lift' | 'relative' }>, { value: inner, flat }: Known): Known {
  const move = (x: number) => rescaled(metric, x);
  return { value: { value: move(inner.value), lower: move(inner.lower), upper: move(inner.upper), method: inner.method }, flat };
}

interface CountedShare {
  numerator: number;
  denominator: number;
}

function plainShare({ numerator, denominator }: CountedShare, level: number): Known {
  const value = denominator === 0 ? 0 : numerator / denominator;
  const bounds = around(wilson(numerator, denominator, level), value);
  return {
    value: { value, ...bounds, method: 'wilson', numerator, denominator },
    flat: numerator === 0 || numerator === denominator,
  };
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
