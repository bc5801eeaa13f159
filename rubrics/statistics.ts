import { seededRandom } from './random.ts';

export interface Interval {
  lower: number;
  upper: number;
}

/**
 * Wilson's score interval for a share of k in n at a two-sided confidence `level` (E. B. Wilson, JASA 22, 1927).
 * `k` may be fractional: for values in [0, 1] with a given mean no distribution varies more than zeros and ones, so the
 * interval is then conservative. Without observations it is [0, 1]. Always inside [0, 1] and around k/n.
 */
export function wilson(k: number, n: number, level: number): Interval {
  if (n <= 0) return { lower: 0, upper: 1 };
  const share = k / n;
  const z = normalQuantile((1 + level) / 2);
  const z2 = z * z;
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  // At k = 0 and k = n the bound is exactly 0 or 1; rounding must not leave it a little inside of the share itself.
  return {
    lower: Math.min(share, Math.max(0, k <= 0 ? 0 : centre - half)),
    upper: Math.max(share, Math.min(1, k >= n ? 1 : centre + half)),
  };
}

const horner = (coefficients: readonly number[], x: number): number => coefficients.reduceRight((sum, c) => sum * x + c, 0);

/** Coefficients of algorithm AS 241, PPND16 (M. J. Wichura, Applied Statistics 37, 1988) as the nearest doubles, lowest power first. */
const central = {
  above: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087, 33430.57558358813,
    2509.0809287301227,
  ],
  below: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943,
    5226.495278852854,
  ],
};
const tail = {
  above: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
    0.022723844989269184, 0.0007745450142783414,
  ],
  below: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457, 0.0005475938084995345,
    1.0507500716444169e-9,
  ],
};

/**
 * Quantile of the standard normal distribution for 0.0001 ≤ p ≤ 0.9999, to about 16 digits (AS 241 without its far
 * tail, which no confidence level of a rubric reaches).
 */
export function normalQuantile(p: number): number {
  if (!(p >= 1e-4 && p <= 1 - 1e-4)) throw new RangeError(`no quantile for p = ${p}`);
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * horner(central.above, r)) / horner(central.below, r);
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p)) - 1.6;
  const value = horner(tail.above, r) / horner(tail.below, r);
  return q < 0 ? -value : value;
}

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
