import { seededRandom } from '../random.ts';
import type { Interval } from './interval.ts';

/**
 * What a bootstrap resamples: clusters (cases that belong together) inside strata (groups whose sizes are kept).
 * `sums` holds per cluster the `width` numbers whose totals over a resample are handed to the statistic.
 */
export interface ClusterTable {
  /** Numbers per cluster. */
  width: number;
  /** Row-major, clusters × width. */
  sums: Float64Array;
  /** Indices of the clusters of each stratum. */
  strata: readonly Int32Array[];
}

export interface BootstrapOptions {
  level: number;
  seed: string;
  /** Resamples; at least 1000 for a 95 % interval that does not wobble. */
  resamples?: number;
}

export const defaultResamples = 2000;

/**
 * Percentile bootstrap over clusters (B. Efron, Annals of Statistics 7, 1979): every resample draws, inside each
 * stratum, as many clusters as it has, with replacement; `statistic` turns the totals into the number of interest.
 * Deterministic from `seed`. Costs resamples × clusters × width additions.
 */
export function bootstrap(table: ClusterTable, statistic: (totals: Float64Array) => number, options: BootstrapOptions): Interval {
  const { width, sums, strata } = table;
  const random = seededRandom(options.seed);
  const values = new Float64Array(options.resamples ?? defaultResamples);
  const totals = new Float64Array(width);
  for (let resample = 0; resample < values.length; resample++) {
    totals.fill(0);
    for (const clusters of strata) {
      const count = clusters.length;
      for (let draw = 0; draw < count; draw++) {
        const row = (clusters[(random() * count) | 0] as number) * width;
        for (let column = 0; column < width; column++) totals[column] = (totals[column] as number) + (sums[row + column] as number);
      }
    }
    values[resample] = statistic(totals);
  }
  values.sort();
  const outside = (1 - options.level) / 2;
  return { lower: percentile(values, outside), upper: percentile(values, 1 - outside) };
}

/** Linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996). */
export function percentile(sorted: Float64Array, share: number): number {
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low === high ? low : low + (high - low) * (position - below);
}
