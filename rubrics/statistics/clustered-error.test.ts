import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusteredError } from './clustered-error.ts';

/** Independent: the same estimator written as in Miller 2024, CLT variance plus the covariances of pairs inside clusters. */
function fromPairs(values: readonly number[], clusters: readonly number[]): number {
  const n = values.length;
  const centre = values.reduce((sum, value) => sum + value, 0) / n;
  let sum = 0;
  for (const [i, one] of values.entries())
    for (const [j, other] of values.entries()) if (clusters[i] === clusters[j]) sum += (one - centre) * (other - centre);
  return Math.sqrt(Math.max(0, sum)) / n;
}

describe('the clustered standard error', () => {
  it('is s/√n when every value is its own cluster', () => {
    const values = [1, 2, 3, 4];
    expect(clusteredError(values, [1, 2, 3, 4], { small: true })).toBeCloseTo(Math.sqrt(5 / 3 / 4), 14);
    expect(clusteredError(values, [1, 2, 3, 4])).toBeCloseTo(Math.sqrt(5 / 4 / 4), 14);
  });

  it('grows by √m when each value is copied m times inside its cluster', () => {
    const once = clusteredError([0, 1, 1, 0, 1], [1, 2, 3, 4, 5]);
    const copied = [0, 1, 1, 0, 1].flatMap((value) => [value, value, value]);
    const names = [1, 2, 3, 4, 5].flatMap((name) => [name, name, name]);
    expect(clusteredError(copied, names)).toBeCloseTo(once, 14);
    expect(clusteredError(copied, [...copied.keys()])).toBeCloseTo(once / Math.sqrt(3), 14);
  });

  it('equals the sum over pairs inside clusters, whatever the order', () => {
    const row = fc.tuple(fc.integer({ min: -100, max: 100 }), fc.integer({ min: 0, max: 5 }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 40 }), (rows) => {
        fc.pre(new Set(rows.map(([, cluster]) => cluster)).size > 1);
        const error = clusteredError(
          rows.map(([value]) => value),
          rows.map(([, cluster]) => cluster),
        );
        const turned = rows.toReversed();
        const [values, clusters] = [turned.map(([value]) => value), turned.map(([, cluster]) => cluster)];
        expect(error).toBeCloseTo(fromPairs(values, clusters), 6);
      }),
    );
  });

  it('refuses one cluster and lists of two lengths', () => {
    expect(() => clusteredError([1, 2], ['a', 'a'])).toThrow(/two clusters/);
    expect(() => clusteredError([1, 2], ['a'])).toThrow(/needs its cluster/);
  });
});
