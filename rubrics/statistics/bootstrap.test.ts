import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import { bootstrap, type ClusterTable, percentile } from './bootstrap.ts';

const meanOf = (totals: Float64Array) => totals[0]! / totals[1]!;

function table(values: readonly number[], strata?: readonly number[][]): ClusterTable {
  const sums = Float64Array.from(values.flatMap((value) => [value, 1]));
  return { width: 2, sums, strata: (strata ?? [values.map((_, i) => i)]).map((list) => Int32Array.from(list)) };
}

describe('bootstrap', () => {
  const random = seededRandom('data');
  const values = Array.from({ length: 400 }, () => random());

  it('agrees with the normal approximation for the mean of 400 uniform values and repeats byte for byte', () => {
    const { lower, upper } = bootstrap(table(values), meanOf, { level: 0.95, seed: 'a' });
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
    const half = (1.96 * deviation) / Math.sqrt(values.length);
    expect(lower).toBeCloseTo(mean - half, 2);
    expect(upper).toBeCloseTo(mean + half, 2);
    expect(bootstrap(table(values), meanOf, { level: 0.95, seed: 'a' })).toEqual({ lower, upper });
    expect(bootstrap(table(values), meanOf, { level: 0.95, seed: 'b' })).not.toEqual({ lower, upper });
  });

  it('is wider over clusters than over the cases in them', () => {
    const clusters = Array.from({ length: 40 }, (_, i) => (i % 2 ? 10 : 0));
    const clustered: ClusterTable = {
      width: 2,
      sums: Float64Array.from(clusters.flatMap((sum) => [sum, 10])),
      strata: [Int32Array.from(clusters.keys())],
    };
    const single = table(clusters.flatMap((sum) => new Array<number>(10).fill(sum / 10)));
    const wide = bootstrap(clustered, meanOf, { level: 0.95, seed: 'a' });
    const narrow = bootstrap(single, meanOf, { level: 0.95, seed: 'a' });
    expect(wide.upper - wide.lower).toBeGreaterThan(2 * (narrow.upper - narrow.lower));
  });

  it('keeps the sizes of strata: constant strata leave nothing to vary', () => {
    const split = table(
      [1, 1, 1, 0, 0],
      [
        [0, 1, 2],
        [3, 4],
      ],
    );
    expect(bootstrap(split, meanOf, { level: 0.95, seed: 'a' })).toEqual({ lower: 0.6, upper: 0.6 });
  });

  it('contains the true mean about as often as it says', () => {
    let covered = 0;
    for (let run = 0; run < 200; run++) {
      const draw = seededRandom(`run ${run}`);
      const sample = Array.from({ length: 60 }, () => draw() ** 2);
      const { lower, upper } = bootstrap(table(sample), meanOf, { level: 0.9, seed: String(run), resamples: 1000 });
      if (lower <= 1 / 3 && 1 / 3 <= upper) covered++;
    }
    expect(covered / 200).toBeGreaterThan(0.82);
    expect(covered / 200).toBeLessThan(0.97);
  });
});

it('interpolates percentiles as type 7 does', () => {
  const sorted = Float64Array.from([1, 2, 3, 4]);
  expect([0, 0.25, 0.5, 1].map((share) => percentile(sorted, share))).toEqual([1, 1.75, 2.5, 4]);
});
