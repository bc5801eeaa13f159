import { binomialUpperTail, exactLowerBound } from './exact-binomial.ts';
import { checkLevel } from './interval.ts';

/** "Passes when the exact one-sided lower bound at `level` reaches `threshold`", as a test of a share. */
export interface ProportionTest {
  threshold: number;
  level: number;
}

/**
 * The fewest hits among n that pass: the smallest k whose exact lower bound reaches the threshold, i.e. with
 * P(X ≥ k | threshold) ≤ 1 − level. `null` when not even n of n is enough.
 */
export function fewestHits(n: number, { threshold, level }: ProportionTest): number | null {
  checkTest(n, threshold, level);
  const passes = (k: number) => binomialUpperTail(k, n, threshold) <= 1 - level;
  if (!passes(n)) return null;
  let fails = 0;
  let hits = n;
  while (hits - fails > 1) {
    const middle = (fails + hits) >> 1;
    if (passes(middle)) hits = middle;
    else fails = middle;
  }
  return hits;
}

/** The probability that a true share of `share` passes with n independent trials; exact, from the binomial law. */
export function proportionPower(n: number, share: number, test: ProportionTest): number {
  const hits = fewestHits(n, test);
  return hits === null ? 0 : binomialUpperTail(hits, n, share);
}

/**
 * The smallest n for which a true share of threshold + `margin` passes with probability `power`. A margin may not lead
 * above 1. Power is a saw-tooth in n: a somewhat larger n can have a little less of it, so ask `proportionPower` for the
 * n that is used. Throws when `maxTrials` are not enough.
 */
export function trialsForPower(power: number, margin: number, test: ProportionTest, maxTrials = 20_000): number {
  const share = test.threshold + margin;
  if (!(margin > 0 && share <= 1 + 1e-12)) throw new RangeError(`no margin of ${margin} fits above the threshold ${test.threshold}`);
  if (!(power > 0 && power < 1)) throw new RangeError(`a power lies between 0 and 1, not at ${power}`);
  for (let n = 1; n <= maxTrials; n++) if (proportionPower(n, Math.min(1, share), test) >= power) return n;
  throw new RangeError(`more than ${maxTrials} trials are needed for a power of ${power} at a margin of ${margin}`);
}

/** How many trials without a single miss bring the lower bound to the threshold: ⌈ln(1 − level) / ln(threshold)⌉. */
export function flawlessTrials({ threshold, level }: ProportionTest): number {
  checkTest(1, threshold, level);
  const guess = Math.max(1, Math.ceil(Math.log(1 - level) / Math.log(threshold)) - 1);
  return exactLowerBound(guess, guess, level) >= threshold ? guess : guess + 1;
}

function checkTest(n: number, threshold: number, level: number): void {
  checkLevel(level);
  if (!(Number.isSafeInteger(n) && n > 0)) throw new RangeError(`expected a positive number of trials, found ${n}`);
  if (!(threshold > 0 && threshold < 1)) throw new RangeError(`a threshold lies between 0 and 1, not at ${threshold}`);
}
