import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import { logGamma, regularizedBeta } from './beta.ts';
import { binomialUpperTail, clopperPearson, exactLowerBound, exactUpperBound } from './exact-binomial.ts';
import { wilson } from './wilson.ts';

/** An independent way to P(X ≥ k): whole-number binomials over p = numerator/2^bits, summed without rounding. */
function exactTail(k: number, n: number, numerator: bigint, bits: bigint): number {
  const whole = 1n << bits;
  let sum = 0n;
  let choose = 1n;
  for (let hits = 0; hits <= n; hits++) {
    if (hits >= k) sum += choose * numerator ** BigInt(hits) * (whole - numerator) ** BigInt(n - hits);
    choose = (choose * BigInt(n - hits)) / BigInt(hits + 1);
  }
  const digits = 10n ** 30n;
  return Number((sum * digits) / whole ** BigInt(n)) / 1e30;
}

describe('the incomplete beta function', () => {
  it('knows ln Γ: factorials, Γ(½) = √π and the recurrence', () => {
    expect(logGamma(1)).toBeCloseTo(0, 14);
    expect(logGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 14);
    expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 13);
    expect(logGamma(171)).toBeCloseTo(Math.log(7.257415615307994e306), 10);
    for (const x of [0.1, 3.7, 14.9, 15, 400]) expect(logGamma(x + 1)).toBeCloseTo(logGamma(x) + Math.log(x), 11);
    expect(() => logGamma(0)).toThrow(/positive/);
  });

  it('equals closed forms and its mirror image', () => {
    expect(regularizedBeta(0.3, 1, 1)).toBeCloseTo(0.3, 14);
    expect(regularizedBeta(0.3, 4, 1)).toBeCloseTo(0.3 ** 4, 14);
    expect(regularizedBeta(0.3, 0.5, 0.5)).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(0.3)), 13);
    expect(regularizedBeta(0.951, 480_000, 25_000)).toBeCloseTo(1 - regularizedBeta(0.049, 25_000, 480_000), 12);
    expect([regularizedBeta(0, 2, 3), regularizedBeta(1, 2, 3)]).toEqual([0, 1]);
    expect(() => regularizedBeta(1.1, 2, 3)).toThrow(/not defined/);
  });

  it('gives the binomial tail that exact whole-number arithmetic gives', () => {
    for (const [k, n, numerator] of [
      [1, 1, 1n],
      [3, 10, 700n],
      [190, 200, 973n],
      [58, 59, 973n],
      [0, 5, 12n],
    ] as const)
      expect(binomialUpperTail(k, n, Number(numerator) / 1024)).toBeCloseTo(exactTail(k, n, numerator, 10n), 13);
    expect(binomialUpperTail(6, 5, 0.9)).toBe(0);
    expect(() => binomialUpperTail(1, 2, Number.NaN)).toThrow(/probability/);
  });
});

describe('the Clopper–Pearson bounds', () => {
  it('are the published ones (Newcombe 1998, table I, method 5)', () => {
    for (const [k, n, lower, upper] of [
      [81, 263, 0.2527, 0.3676],
      [15, 148, 0.0578, 0.1617],
      [0, 20, 0, 0.1684],
      [1, 29, 0.0009, 0.1776],
    ] as const) {
      const bounds = clopperPearson(k, n, 0.95);
      expect(bounds.lower).toBeCloseTo(lower, 4);
      expect(bounds.upper).toBeCloseTo(upper, 4);
    }
  });

  it('need the sample sizes of Wilks 1941 for 95 % at 95 %: 59, 93, 124, 153, 181, 208 with 0 to 5 misses', () => {
    for (const [misses, n] of [59, 93, 124, 153, 181, 208].entries()) {
      expect(exactLowerBound(n - misses, n, 0.95)).toBeGreaterThanOrEqual(0.95);
      expect(exactLowerBound(n - 1 - misses, n - 1, 0.95)).toBeLessThan(0.95);
    }
  });

  it('have the closed form (1 − level)^(1/n) without a miss', () => {
    for (const n of [1, 59, 200, 100_000]) expect(exactLowerBound(n, n, 0.95)).toBeCloseTo(0.05 ** (1 / n), 12);
    expect([exactLowerBound(0, 0, 0.95), exactUpperBound(0, 0, 0.95), exactLowerBound(0, 7, 0.95)]).toEqual([0, 1, 0]);
  });

  it('keep their laws: ordered, mirrored, monotone in k, n and level, solve their equation, lie outside of Wilson’s', () => {
    const counts = fc.integer({ min: 1, max: 3000 }).chain((n) => fc.tuple(fc.integer({ min: 1, max: n }), fc.constant(n)));
    fc.assert(
      fc.property(counts, fc.double({ min: 0.6, max: 0.99, noNaN: true }), ([k, n], level) => {
        const lower = exactLowerBound(k, n, level);
        expect(lower).toBeGreaterThan(0);
        expect(lower).toBeLessThan(k / n);
        expect(exactUpperBound(n - k, n, level)).toBe(1 - lower);
        expect(exactLowerBound(k - 1, n, level)).toBeLessThan(lower);
        expect(exactLowerBound(k, n + 1, level)).toBeLessThan(lower);
        expect(exactLowerBound(k + 1, n + 1, level)).toBeGreaterThan(lower);
        expect(exactLowerBound(k, n, 0.995)).toBeLessThan(lower);
        expect(binomialUpperTail(k, n, lower)).toBeCloseTo(1 - level, 9);
      }),
      { numRuns: 60, seed: 1 },
    );
    expect(exactLowerBound(190, 200, 0.975)).toBeLessThan(wilson(190, 200, 0.95).lower);
  });

  it('cover at least as often as they say: every share by enumeration, and in 4,000 seeded draws', () => {
    const n = 60;
    const bounds = Array.from({ length: n + 1 }, (_, k) => exactLowerBound(k, n, 0.95));
    /** How often the bound lies above the true share, by enumeration. */
    const tooHigh = (share: number) =>
      bounds.reduce(
        (sum, bound, k) => (bound > share ? sum + binomialUpperTail(k, n, share) - binomialUpperTail(k + 1, n, share) : sum),
        0,
      );
    for (let share = 0.02; share < 1; share += 0.02) expect(tooHigh(share)).toBeLessThanOrEqual(0.05 + 1e-9);
    const random = seededRandom('coverage of the exact bound');
    let wrong = 0;
    for (let run = 0; run < 4000; run++) {
      let hits = 0;
      for (let trial = 0; trial < n; trial++) if (random() < 0.9) hits++;
      if ((bounds[hits] as number) > 0.9) wrong++;
    }
    expect(wrong / 4000).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 4000));
    expect(Math.abs(wrong / 4000 - tooHigh(0.9))).toBeLessThan(0.01);
  });

  it('refuse counts and levels that are none', () => {
    for (const [k, n] of [
      [3, 2],
      [-1, 2],
      [0.5, 2],
      [Number.NaN, 2],
    ] as const)
      expect(() => exactLowerBound(k, n, 0.95)).toThrow(/whole numbers/);
    expect(() => exactLowerBound(1, 2, 1)).toThrow(/level/);
  });
});
