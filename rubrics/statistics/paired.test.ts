import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import { mcnemar, pairedDifference } from './paired.ts';

/** P(X ≥ k) for Binomial(n, ½) in whole numbers. */
function halfTail(k: number, n: number): number {
  let sum = 0n;
  let choose = 1n;
  for (let hits = 0; hits <= n; hits++) {
    if (hits >= k) sum += choose;
    choose = (choose * BigInt(n - hits)) / BigInt(hits + 1);
  }
  return Number((sum * 10n ** 30n) / (1n << BigInt(n))) / 1e30;
}

describe('McNemar’s test', () => {
  it('gives Agresti’s approval ratings, 150 against 86: z² = 17.36 (Categorical Data Analysis, 10.1)', () => {
    const { p, chiSquare } = mcnemar(150, 86);
    expect(chiSquare).toBeCloseTo(17.36, 2);
    expect(p).toBeCloseTo(2 * halfTail(150, 236), 12);
  });

  it('is twice the whole-number tail, symmetric and never above 1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 80 }), (b, c) => {
        fc.pre(b + c > 0);
        const { p } = mcnemar(b, c);
        expect(p).toBeCloseTo(Math.min(1, 2 * halfTail(Math.max(b, c), b + c)), 11);
        expect(mcnemar(c, b).p).toBe(p);
        if (b >= c) expect(mcnemar(b + 1, c).p).toBeLessThanOrEqual(p);
      }),
    );
    expect(mcnemar(0, 0)).toEqual({ p: 1, chiSquare: 0 });
    expect(mcnemar(5, 5).p).toBe(1);
    expect(() => mcnemar(-1, 3)).toThrow(/whole numbers/);
  });
});

describe('the paired difference', () => {
  const options = { level: 0.95, seed: 'pairs' };
  const random = seededRandom('cases');
  const hardness = Array.from({ length: 300 }, () => random());
  const first = hardness.map((value) => value + 0.05 + 0.1 * random());
  const second = hardness.map((value) => value + 0.1 * random());

  it('equals the t formula on differences and is narrower than the two means apart', () => {
    const { value, error, lower, upper } = pairedDifference(first, second, options);
    const differences = first.map((one, i) => one - (second[i] as number));
    const mean = differences.reduce((sum, one) => sum + one, 0) / 300;
    const deviation = Math.sqrt(differences.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 299);
    expect(value).toBeCloseTo(mean, 12);
    expect(error).toBeCloseTo(deviation / Math.sqrt(300), 12);
    expect(lower).toBeCloseTo(mean - 1.96 * error, 3);
    expect(upper).toBeCloseTo(mean + 1.96 * error, 3);
    expect(upper - lower).toBeLessThan(0.03);
  });

  it('turns round with its sides and repeats from its seed', () => {
    const there = pairedDifference(first, second, options);
    const back = pairedDifference(second, first, options);
    expect(back.value).toBeCloseTo(-there.value, 12);
    expect([back.lower, back.upper].map((x) => -x)).toEqual([expect.closeTo(there.upper, 3), expect.closeTo(there.lower, 3)]);
    expect(pairedDifference(first, second, options)).toEqual(there);
    expect(() => pairedDifference([1], [1], options)).toThrow(/two pairs/);
    expect(() => pairedDifference([1, 2], [1], options)).toThrow(/two pairs/);
  });
});
