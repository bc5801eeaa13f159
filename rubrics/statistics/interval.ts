export interface Interval {
  lower: number;
  upper: number;
}

/** A number with its interval. */
export interface Estimate extends Interval {
  value: number;
}

/** Throws where a confidence level is not a number between 0 and 1. */
export function checkLevel(level: number): void {
  if (!(level > 0 && level < 1)) throw new RangeError(`a confidence level lies between 0 and 1, not at ${level}`);
}

/** Throws where `k` of `n` is not a count of hits among trials. */
export function checkCounts(k: number, n: number): void {
  if (!(Number.isSafeInteger(k) && Number.isSafeInteger(n) && k >= 0 && k <= n))
    throw new RangeError(`expected whole numbers with 0 ≤ k ≤ n, found k = ${k}, n = ${n}`);
}
