import { regularizedBeta } from './beta.ts';
import { checkCounts, checkLevel, type Interval } from './interval.ts';

/** P(X ≥ k) for X ~ Binomial(n, p), as I_p(k, n − k + 1). Throws on counts or a p that are none. */
export function binomialUpperTail(k: number, n: number, p: number): number {
  checkCounts(Math.max(0, Math.min(k, n)), n);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a probability lies between 0 and 1, not at ${p}`);
  if (k <= 0) return 1;
  return k > n ? 0 : regularizedBeta(p, k, n - k + 1);
}

/**
 * The exact one-sided lower confidence bound for a share of k in n independent trials (C. J. Clopper and E. S. Pearson,
 * Biometrika 26, 1934): the p at which k or more hits have the probability 1 − level. Whatever the true share, the bound
 * lies above it in at most 1 − level of all samples; this is why money waits for it and not for Wilson's, which is right
 * only on average. 0 without trials. Rounded towards 0, never upwards.
 */
export function exactLowerBound(k: number, n: number, level: number): number {
  checkCounts(k, n);
  checkLevel(level);
  if (k === 0) return 0;
  const alpha = 1 - level;
  let low = 0;
  let high = k / n;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return low;
    if (binomialUpperTail(k, n, middle) <= alpha) low = middle;
    else high = middle;
  }
}

/** The one-sided upper bound: 1 − the lower bound for the misses. 1 without trials. */
export function exactUpperBound(k: number, n: number, level: number): number {
  checkCounts(k, n);
  return 1 - exactLowerBound(n - k, n, level);
}

/** The two-sided Clopper–Pearson interval: both one-sided bounds at (1 + level)/2. */
export function clopperPearson(k: number, n: number, level: number): Interval {
  checkLevel(level);
  const side = (1 + level) / 2;
  return { lower: exactLowerBound(k, n, side), upper: exactUpperBound(k, n, side) };
}
