import type { MetricValue } from '../contracts/evaluation.ts';
import { metricInputs, type MetricSpec, type Rubric } from '../contracts/rubric.ts';
import type { SubmissionKind } from '../contracts/submission.ts';
import { appliesTo } from './grade-case.ts';
import { asText, resolveCaseSource } from './graders/sources.ts';
import { deriveSeed } from './random.ts';
import { bootstrap, type ClusterTable } from './statistics/bootstrap.ts';
import { wilson } from './statistics/wilson.ts';
import { type Unit, unitScore } from './units.ts';

/**
 * How metrics and their intervals are made. Every metric is a function of a few totals over the cases: a mean needs
 * Σ score and the number of cases, a group mean both per group, `lift` and `weighted` combine others. So one bootstrap
 * serves all kinds: it resamples clusters (cases of one `group`, else single cases; trials stay inside their case),
 * inside strata (the groups of a group mean), adds the totals up and evaluates the function on them. A plain share of
 * cases gets Wilson's interval instead. Where all resamples agree, as with five perfect scores, the data cannot show
 * their own spread; Wilson's interval on the number of clusters is taken then, which assumes the worst spread.
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
  const values: MetricValues = {};
  const specs = new Map(rubric.metrics.map((metric) => [metric.name, metric]));
  for (const metric of rubric.metrics) {
    if (metricApplies(rubric, metric, kind)) values[metric.name] = computeMetric(metric, specs, values, units, options);
  }
  return values;
}

type Specs = ReadonlyMap<string, MetricSpec>;

function computeMetric(
  metric: MetricSpec,
  specs: Specs,
  values: MetricValues,
  units: readonly Unit[],
  options: MetricOptions,
): MetricValue {
  if (metric.kind === 'lift') return lifted(metric.prior, values[metric.of] as MetricValue);
  const counted = metric.kind === 'mean' ? countedShare(metric.of, units) : undefined;
  const grouped = units.some((unit) => unit.case.group !== undefined);
  if (counted && !grouped) {
    const interval = wilson(counted.numerator, counted.denominator, options.level);
    return { value: counted.numerator / counted.denominator, ...interval, method: 'wilson', ...counted };
  }
  const totals = layOut(metric, specs, units);
  const value = totals.evaluate(totals.all);
  const seed = deriveSeed(options.seed, 'bootstrap', metric.name);
  const interval = bootstrap(totals.table, totals.evaluate, { level: options.level, seed });
  const plain = counted ?? {};
  if (interval.lower < interval.upper) return { value, ...around(interval, value), method: 'bootstrap', ...plain };
  if (metric.kind === 'weighted') {
    const wilsonOnly = Object.keys(metric.of).every((name) => values[name]?.method === 'wilson');
    return { value, ...around(combinedBounds(metric.of, values), value), method: wilsonOnly ? 'wilson' : 'bootstrap' };
  }
  const clusters = totals.table.strata.reduce((sum, stratum) => sum + stratum.length, 0);
  return { value, ...around(wilson(value * clusters, clusters, options.level), value), method: 'wilson', ...plain };
}

/** A percentile interval of a skewed metric can miss the value itself by rounding; it never should. */
const around = ({ lower, upper }: { lower: number; upper: number }, value: number) => ({
  lower: Math.min(lower, value),
  upper: Math.max(upper, value),
});

function lifted(prior: number, inner: MetricValue): MetricValue {
  const lift = (x: number) => (x - prior) / (1 - prior);
  return { value: lift(inner.value), lower: lift(inner.lower), upper: lift(inner.upper), method: inner.method };
}

/** All inputs at their bounds at once: wider than needed, never too narrow. */
function combinedBounds(of: Readonly<Record<string, number>>, values: MetricValues): { lower: number; upper: number } {
  const mean = (bound: 'lower' | 'upper') =>
    weightedMean(Object.entries(of).map(([name, weight]) => [(values[name] as MetricValue)[bound], weight]));
  return { lower: mean('lower'), upper: mean('upper') };
}

const weightedMean = (pairs: readonly (readonly [number, number])[]): number =>
  pairs.reduce((sum, [value, weight]) => sum + value * weight, 0) / pairs.reduce((sum, [, weight]) => sum + weight, 0);

/** Successes and cases, when every case was run once and scored 0 or 1. */
function countedShare(
  of: 'case-score' | { criterion: string },
  units: readonly Unit[],
): { numerator: number; denominator: number } | undefined {
  let numerator = 0;
  for (const unit of units) {
    const score = unitScore(unit, of);
    if (unit.results.length !== 1 || (score !== 0 && score !== 1)) return undefined;
    numerator += score;
  }
  return units.length === 0 ? undefined : { numerator, denominator: units.length };
}

type Evaluate = (totals: Float64Array) => number;

interface Layout {
  table: ClusterTable;
  /** Totals over all cases. */
  all: Float64Array;
  evaluate: Evaluate;
}

/** One column of totals: what each case adds to it. */
type Column = Float64Array;

function layOut(metric: MetricSpec, specs: Specs, units: readonly Unit[]): Layout {
  const columns: Column[] = [];
  const strata: string[][] = units.map(() => []);
  const evaluate = expressionOf(metric, specs, units, columns, strata);
  const width = columns.length;
  const clusters = new Map<string, number>();
  const members = new Map<string, number[]>();
  const clusterOf = units.map((unit, i) => {
    const stratum = JSON.stringify(strata[i]);
    const key = JSON.stringify([stratum, unit.case.group === undefined ? 'case' : 'group', unit.case.group ?? unit.case.id]);
    const known = clusters.get(key);
    if (known !== undefined) return known;
    const index = clusters.size;
    clusters.set(key, index);
    const list = members.get(stratum);
    if (list) list.push(index);
    else members.set(stratum, [index]);
    return index;
  });
  const sums = new Float64Array(clusters.size * width);
  const all = new Float64Array(width);
  for (const [column, added] of columns.entries()) {
    for (const [i, cluster] of clusterOf.entries()) {
      const at = cluster * width + column;
      sums[at] = (sums[at] as number) + (added[i] as number);
      all[column] = (all[column] as number) + (added[i] as number);
    }
  }
  return { table: { width, sums, strata: [...members.values()].map((list) => Int32Array.from(list)) }, all, evaluate };
}

/** The metric as a function of totals; appends the columns it needs and, per case, the strata it asks for. */
function expressionOf(metric: MetricSpec, specs: Specs, units: readonly Unit[], columns: Column[], strata: string[][]): Evaluate {
  switch (metric.kind) {
    case 'mean':
      return ratio(
        columns,
        scoresOf(units, metric.of),
        Float64Array.from(units, () => 1),
      );
    case 'group-mean': {
      const groups = units.map((unit) => asText(resolveCaseSource(metric.by, unit.case))[0] ?? '');
      for (const [i, group] of groups.entries()) strata[i]?.push(group);
      const scores = scoresOf(units, { criterion: metric.criterion });
      const parts = [...new Set(groups)].sort().map((name) => {
        const inside = Float64Array.from(groups, (group) => (group === name ? 1 : 0));
        return ratio(
          columns,
          inside.map((one, i) => one * (scores[i] as number)),
          inside,
        );
      });
      return (totals) => parts.reduce((sum, part) => sum + part(totals), 0) / parts.length;
    }
    case 'lift': {
      const inner = expressionOf(specs.get(metric.of) as MetricSpec, specs, units, columns, strata);
      return (totals) => (inner(totals) - metric.prior) / (1 - metric.prior);
    }
    case 'weighted': {
      const parts = Object.entries(metric.of).map(([name, weight]): [Evaluate, number] => [
        expressionOf(specs.get(name) as MetricSpec, specs, units, columns, strata),
        weight,
      ]);
      return (totals) => weightedMean(parts.map(([part, weight]) => [part(totals), weight]));
    }
  }
}

const scoresOf = (units: readonly Unit[], of: 'case-score' | { criterion: string }): Column =>
  Float64Array.from(units, (unit) => unitScore(unit, of));

function ratio(columns: Column[], above: Column, below: Column): Evaluate {
  const first = columns.push(above, below) - 2;
  return (totals) => (totals[first] as number) / (totals[first + 1] as number);
}
