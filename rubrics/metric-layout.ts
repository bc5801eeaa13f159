import type { MetricSpec } from '../contracts/metrics.ts';
import type { Case } from '../contracts/rubric.ts';
import type { Source } from '../contracts/sources.ts';
import { asText, resolveCaseSource } from './graders/sources.ts';
import type { ClusterTable } from './statistics/bootstrap.ts';
import { runScore, type ScoreOf, type Unit, unitScore } from './units.ts';

/** A metric as a function of totals over the cases. */
export type Evaluate = (totals: Float64Array) => number;

export interface Layout {
  table: ClusterTable;
  /** Totals over all cases. */
  all: Float64Array;
  evaluate: Evaluate;
}

export type Specs = ReadonlyMap<string, MetricSpec>;
export type GroupedMetric = Extract<MetricSpec, { kind: 'group-mean' | 'harmonic-mean' | 'coverage' }>;

/** One column of totals: what each case adds to it. */
type Column = Float64Array;

interface Building {
  specs: Specs;
  units: readonly Unit[];
  columns: Column[];
  /** Per case what it must be told apart by, so that no resample loses a group or a `where`. */
  labels: string[][];
  /** Metrics below the one laid out, each once and after what it is made of. */
  inner: InnerMetric[];
  /** The place of each in `inner`, by name. */
  places: Map<string, number>;
}

interface InnerMetric {
  evaluate: Evaluate;
  /** Its value for the totals at hand. */
  value: number;
}

/**
 * The columns a metric needs, added up per cluster, and the metric as a function of their totals. A cluster (the cases
 * of one `group`, else a single case) is never torn apart: where its cases carry different labels (one behaviour asked
 * of three models), it belongs to the stratum of clusters with the same set of labels.
 */
export function layOut(metric: MetricSpec, specs: Specs, units: readonly Unit[]): Layout {
  const building: Building = { specs, units, columns: [], labels: units.map(() => []), inner: [], places: new Map() };
  const evaluate = inOrder(building.inner, expressionOf(metric, building));
  const { columns } = building;
  const width = columns.length;
  const { of, count } = clustersOf(units);
  const sums = new Float64Array(count * width);
  const all = new Float64Array(width);
  for (const [column, added] of columns.entries()) {
    for (const [i, cluster] of of.entries()) {
      const at = cluster * width + column;
      sums[at] = (sums[at] as number) + (added[i] as number);
      all[column] = (all[column] as number) + (added[i] as number);
    }
  }
  return { table: { width, sums, strata: strataOf(of, count, building.labels) }, all, evaluate };
}

/**
 * Evaluates every inner metric once, then the one made of them. Were each evaluated wherever it is named, 32 metrics of
 * which each names the one before it twice would cost 2^32 evaluations per resample: anybody's rubric could stop the host.
 */
function inOrder(inner: readonly InnerMetric[], evaluate: Evaluate): Evaluate {
  return (totals) => {
    for (const one of inner) one.value = one.evaluate(totals);
    return evaluate(totals);
  };
}

/** The cluster of every unit, numbered in the order of the cases. */
export function clustersOf(units: readonly Unit[]): { of: number[]; count: number } {
  const numbers = new Map<string, number>();
  const of = units.map(({ case: { id, group } }) => {
    const key = group === undefined ? `case ${id}` : `group ${group}`;
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  });
  return { of, count: numbers.size };
}

function strataOf(of: readonly number[], count: number, labels: readonly string[][]): Int32Array[] {
  const held = Array.from({ length: count }, () => new Set<string>());
  for (const [i, cluster] of of.entries()) held[cluster]?.add(JSON.stringify(labels[i]));
  const members = Map.groupBy(held.keys(), (cluster) => JSON.stringify([...(held[cluster] ?? [])].sort()));
  return [...members.values()].map((list) => Int32Array.from(list));
}

/** Appends the columns the metric needs and, per case, the labels it asks for. */
function expressionOf(metric: MetricSpec, building: Building): Evaluate {
  const { units } = building;
  const inner = (name: string): Evaluate => innerMetric(name, building);
  switch (metric.kind) {
    case 'mean': {
      const inside = insideOf(metric, units);
      if (metric.where) label(building, (i) => String(inside[i]));
      return ratio(building, scoresOf(units, metric.of, inside), inside);
    }
    case 'conditional-mean':
      return ratio(building, bothOf(units, metric.of, metric.given), scoresOf(units, { criterion: metric.given }));
    case 'group-mean':
    case 'harmonic-mean':
    case 'coverage': {
      const parts = groupRatios(metric, building);
      return (totals) => {
        const means = parts.map((part) => part(totals));
        return groupsTogether(metric, means);
      };
    }
    case 'lift': {
      const of = inner(metric.of);
      return (totals) => rescaled(metric, of(totals));
    }
    case 'relative': {
      const of = inner(metric.of);
      return (totals) => rescaled(metric, of(totals));
    }
    case 'weighted': {
      const parts = Object.entries(metric.of).map(([name, weight]): [Evaluate, number] => [inner(name), weight]);
      return (totals) => weightedMean(parts.map(([part, weight]) => [part(totals), weight]));
    }
    case 'product': {
      const parts = metric.of.map(({ metric: name, complement }): [Evaluate, boolean] => [inner(name), complement]);
      return (totals) => parts.reduce((product, [part, complement]) => product * (complement ? 1 - part(totals) : part(totals)), 1);
    }
    case 'difference': {
      const [of, minus] = [inner(metric.of), inner(metric.minus)];
      return (totals) => of(totals) - minus(totals);
    }
  }
}

/** The value of a metric by name. Its columns are appended where it is named first and shared wherever it is named again. */
function innerMetric(name: string, building: Building): Evaluate {
  const { specs, inner, places } = building;
  const known = places.get(name);
  if (known !== undefined) return () => (inner[known] as InnerMetric).value;
  const spec = specs.get(name);
  if (spec === undefined) throw new Error(`no metric is named "${name}"`);
  const one = { evaluate: expressionOf(spec, building), value: 0 };
  places.set(name, inner.push(one) - 1);
  return () => one.value;
}

/** What `lift` and `relative` make of the metric below; both never fall when it rises. */
export function rescaled(metric: Extract<MetricSpec, { kind: 'lift' | 'relative' }>, x: number): number {
  if (metric.kind === 'lift') return (x - metric.prior) / (1 - metric.prior);
  return metric.capped ? Math.min(1, x / metric.base) : x / metric.base;
}

/** One number from the means of the groups; 0 without any. */
export function groupsTogether(metric: GroupedMetric, means: readonly number[]): number {
  if (means.length === 0) return 0;
  switch (metric.kind) {
    case 'group-mean':
      return means.reduce((sum, mean) => sum + mean, 0) / means.length;
    case 'harmonic-mean':
      return means.some((mean) => mean <= 0) ? 0 : means.length / means.reduce((sum, mean) => sum + 1 / mean, 0);
    case 'coverage':
      // Thirds add up to 0.9999999999999999: a mean that reaches the bound on paper reaches it here.
      return means.filter((mean) => mean >= metric.atLeast - 1e-12).length / means.length;
  }
}

export const weightedMean = (pairs: readonly (readonly [number, number])[]): number =>
  pairs.reduce((sum, [value, weight]) => sum + value * weight, 0) / pairs.reduce((sum, [, weight]) => sum + weight, 0);

function groupRatios(metric: GroupedMetric, building: Building): Evaluate[] {
  const groups = groupsOf(metric.by, building.units);
  label(building, (i) => groups[i] ?? '');
  return [...new Set(groups)].sort().map((name) => {
    const inside = Float64Array.from(groups, (group) => (group === name ? 1 : 0));
    return ratio(building, scoresOf(building.units, { criterion: metric.criterion }, inside), inside);
  });
}

/** The group of every case: its text at the source. */
export const groupsOf = (by: Source, units: readonly Unit[]): string[] => units.map((unit) => textAt(by, unit.case));

/** The number of clusters in each group. */
export function groupClusters(by: Source, units: readonly Unit[]): number[] {
  const groups = groupsOf(by, units);
  const { of } = clustersOf(units);
  return [...Map.groupBy(units.keys(), (i) => groups[i] ?? '').values()].map((indices) => new Set(indices.map((i) => of[i])).size);
}

/** 1 for every case that a mean counts, else 0. */
export function insideOf({ where }: Extract<MetricSpec, { kind: 'mean' }>, units: readonly Unit[]): Column {
  if (where === undefined) return Float64Array.from(units, () => 1);
  return Float64Array.from(units, (unit) => (where.is.includes(textAt(where.of, unit.case)) ? 1 : 0));
}

/** The text of a case that groups or filters it; empty where it has none. */
const textAt = (source: Source, c: Case): string => asText(resolveCaseSource(source, c))[0] ?? '';

function scoresOf(units: readonly Unit[], of: ScoreOf, inside?: Column): Column {
  return Float64Array.from(units, (unit, i) => (inside?.[i] === 0 ? 0 : unitScore(unit, of)));
}

/** of·given of every run, averaged over the trials: what counts in one trial says nothing about another. */
function bothOf(units: readonly Unit[], of: ScoreOf, given: string): Column {
  return Float64Array.from(units, ({ results }) => {
    const sum = results.reduce((total, result) => total + runScore(result, of) * runScore(result, { criterion: given }), 0);
    return sum / results.length;
  });
}

const label = ({ labels }: Building, of: (unit: number) => string): void => {
  for (const [i, list] of labels.entries()) list.push(of(i));
};

/** Σ above / Σ below; 0 where nothing is below, as in a resample without one valid run. */
function ratio({ columns }: Building, above: Column, below: Column): Evaluate {
  const first = columns.push(above, below) - 2;
  return (totals) => {
    const divisor = totals[first + 1] as number;
    return divisor === 0 ? 0 : (totals[first] as number) / divisor;
  };
}
