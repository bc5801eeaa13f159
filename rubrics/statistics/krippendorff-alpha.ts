import { bootstrap } from './bootstrap.ts';
import type { Estimate, Interval } from './interval.ts';
import { variance } from './moments.ts';
import { normalQuantile } from './normal.ts';

/** One rating; `null` where this rater did not rate this unit. */
export type Rating = string | number | null;

export interface Alpha extends Estimate {
  /** Units with at least two ratings; others say nothing about agreement. */
  units: number;
  /** Ratings in these units. */
  ratings: number;
}

export interface AlphaOptions {
  /** How far two ratings are apart: `nominal` 1 when they differ, `interval` (a − b)² of numbers. */
  metric: 'nominal' | 'interval';
  level: number;
  seed: string;
}

/** The most different ratings that `nominal` counts; more are no categories. */
const maxCategories = 100;
/** Units up to which the bootstrap's 2,000 resamples take well under a second. */
const mostResampled = 2000;

/**
 * Krippendorff's α = 1 − D_o/D_e for any number of raters and missing ratings (K. Krippendorff, Content Analysis,
 * 4th ed. 2018, chapter 12). `units[u]` lists the ratings of unit u. D_o is the mean disagreement of pairs inside units,
 * each unit weighted by 1/(m_u − 1); D_e that of all pairs whatsoever. The interval is a seeded percentile bootstrap over
 * units; beyond 2,000 units, where that takes long and α is near normal, α ± z·SE of the delete-one jackknife over units. `null` where α is not defined: no unit with two ratings, or no two different values. Throws on more than 100
 * categories and on ratings that are no finite numbers under `interval`.
 */
export function krippendorffAlpha(units: readonly (readonly Rating[])[], options: AlphaOptions): Alpha | null {
  const rated = units.map((unit) => unit.filter((rating) => rating !== null)).filter((unit) => unit.length >= 2);
  const sums = options.metric === 'nominal' ? nominalSums(rated) : intervalSums(rated);
  const ratings = rated.reduce((sum, unit) => sum + unit.length, 0);
  const totals = new Float64Array(sums.width);
  for (const [i, value] of sums.values.entries()) totals[i % sums.width] = (totals[i % sums.width] as number) + value;
  const value = sums.alpha(totals);
  if (Number.isNaN(value)) return null;
  const interval = rated.length > mostResampled ? jackknife(sums, totals, options.level) : resampled(sums, rated.length, options);
  return { value, lower: Math.min(value, interval.lower), upper: Math.max(value, interval.upper), units: rated.length, ratings };
}

function resampled(sums: Sums, units: number, options: AlphaOptions): Interval {
  const table = { width: sums.width, sums: sums.values, strata: [Int32Array.from({ length: units }, (_, u) => u)] };
  // A resample of one value only is full agreement: nothing in it differs.
  return bootstrap(table, (drawn) => (Number.isNaN(sums.alpha(drawn)) ? 1 : sums.alpha(drawn)), options);
}

/** SE² = (m − 1)/m · Σ(α without unit u − their mean)² (B. Efron and C. Stein, Annals of Statistics 9, 1981). */
function jackknife({ width, values, alpha }: Sums, totals: Float64Array, level: number): Interval {
  const units = values.length / width;
  const without = new Float64Array(units);
  for (let u = 0; u < units; u++) {
    const left = totals.map((total, column) => total - (values[u * width + column] as number));
    // Without the one unit that differed, all is agreement.
    const one = alpha(left);
    without[u] = Number.isNaN(one) ? 1 : one;
  }
  const centre = alpha(totals);
  const half = normalQuantile((1 + level) / 2) * Math.sqrt(((units - 1) ** 2 / units) * variance(without));
  return { lower: centre - half, upper: Math.min(1, centre + half) };
}

/** What is added up over units, and α from the totals (NaN when it is not defined). */
interface Sums {
  width: number;
  values: Float64Array;
  alpha(totals: Float64Array): number;
}

/** Per unit: Σ over its pairs of disagreement/(m − 1), then how often each value occurs. */
function nominalSums(units: readonly (readonly (string | number)[])[]): Sums {
  const categories = new Map<string, number>();
  for (const rating of units.flat()) {
    const name = String(rating);
    if (!categories.has(name)) categories.set(name, categories.size);
  }
  if (categories.size > maxCategories)
    throw new RangeError(`the ratings have ${categories.size} different values; α for categories takes at most ${maxCategories}`);
  const width = 1 + categories.size;
  const values = new Float64Array(units.length * width);
  for (const [u, unit] of units.entries()) {
    const counts = values.subarray(u * width + 1, (u + 1) * width);
    for (const rating of unit) {
      const category = categories.get(String(rating)) as number;
      counts[category] = (counts[category] as number) + 1;
    }
    const agreeing = counts.reduce((sum, count) => sum + count * (count - 1), 0);
    values[u * width] = (unit.length * (unit.length - 1) - agreeing) / (unit.length - 1);
  }
  const alpha = (totals: Float64Array) => {
    const counts = totals.subarray(1);
    const n = counts.reduce((sum, count) => sum + count, 0);
    const expected = n * n - counts.reduce((sum, count) => sum + count * count, 0);
    return expected === 0 ? Number.NaN : 1 - ((n - 1) * (totals[0] as number)) / expected;
  };
  return { width, values, alpha };
}

/** Per unit: Σ over its ordered pairs of (a − b)²/(m − 1), number of ratings, Σ rating, Σ rating². */
function intervalSums(units: readonly (readonly (string | number)[])[]): Sums {
  const width = 4;
  const numbers = units.map((unit) => unit.map(asNumber));
  // Far from zero, Σx² − (Σx)²/n would lose its digits; distances do not change with the origin.
  const origin = numbers[0]?.[0] ?? 0;
  const values = new Float64Array(units.length * width);
  for (const [u, unit] of numbers.entries()) {
    let [sum, squares] = [0, 0];
    for (const value of unit) {
      sum += value - origin;
      squares += (value - origin) ** 2;
    }
    values.set([(2 * (unit.length * squares - sum * sum)) / (unit.length - 1), unit.length, sum, squares], u * width);
  }
  const alpha = ([observed = 0, n = 0, sum = 0, squares = 0]: Float64Array) => {
    const expected = 2 * (n * squares - sum * sum);
    return expected <= 1e-12 * n * squares || n === 0 ? Number.NaN : 1 - ((n - 1) * observed) / expected;
  };
  return { width, values, alpha };
}

function asNumber(rating: string | number): number {
  if (typeof rating === 'number' && Number.isFinite(rating)) return rating;
  throw new RangeError(`α over distances takes finite numbers, not "${rating}"`);
}
