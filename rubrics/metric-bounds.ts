import type { MetricSpec } from '../contracts/metrics.ts';
import { clustersOf, groupsOf, groupsTogether, weightedMean } from './metric-layout.ts';
import type { Interval } from './statistics/interval.ts';
import { wilson } from './statistics/wilson.ts';
import { type Unit, unitScore } from './units.ts';

type ComposedMetric = Extract<MetricSpec, { kind: 'weighted' | 'product' | 'difference' }>;

/**
 * Bounds of a composed metric with all its inputs at their bounds at once, by interval arithmetic (R. E. Moore,
 * Interval Analysis, 1966): wider than needed, never too narrow.
 */
export function combinedBounds(metric: ComposedMetric, boundsOf: (name: string) => Interval): Interval {
  switch (metric.kind) {
    case 'weighted': {
      const mean = (bound: 'lower' | 'upper') =>
        weightedMean(Object.entries(metric.of).map(([name, weight]) => [boundsOf(name)[bound], weight]));
      return { lower: mean('lower'), upper: mean('upper') };
    }
    case 'difference': {
      const [of, minus] = [boundsOf(metric.of), boundsOf(metric.minus)];
      return { lower: of.lower - minus.upper, upper: of.upper - minus.lower };
    }
    case 'product':
      return metric.of
        .map(({ metric: name, complement }): Interval => {
          const { lower, upper } = boundsOf(name);
          return complement ? { lower: 1 - upper, upper: 1 - lower } : { lower, upper };
        })
        .reduce(times, { lower: 1, upper: 1 });
  }
}

/** A factor may be a difference and negative: then the lowest product is not that of the lower bounds. */
function times(a: Interval, b: Interval): Interval {
  const ends = [a.lower * b.lower, a.lower * b.upper, a.upper * b.lower, a.upper * b.upper];
  return { lower: Math.min(...ends), upper: Math.max(...ends) };
}

/** Bounds of a harmonic mean with every group at the bound of its own Wilson interval, by its number of clusters. */
export function harmonicBounds(metric: Extract<MetricSpec, { kind: 'harmonic-mean' }>, units: readonly Unit[], level: number): Interval {
  const shares = groupShares(metric, units);
  const intervals = shares.map(({ mean, clusters }) => wilson(mean * clusters, clusters, level));
  const at = (bound: 'lower' | 'upper') =>
    groupsTogether(
      metric,
      intervals.map((interval) => interval[bound]),
    );
  return { lower: at('lower'), upper: at('upper') };
}

interface GroupShare {
  mean: number;
  clusters: number;
}

function groupShares({ criterion, by }: Extract<MetricSpec, { kind: 'harmonic-mean' }>, units: readonly Unit[]): GroupShare[] {
  const groups = groupsOf(by, units);
  const { of } = clustersOf(units);
  return [...Map.groupBy(units.keys(), (i) => groups[i] ?? '').values()].map((indices) => {
    const sum = indices.reduce((total, i) => total + unitScore(units[i] as Unit, { criterion }), 0);
    return { mean: sum / indices.length, clusters: new Set(indices.map((i) => of[i])).size };
  });
}
