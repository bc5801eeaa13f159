/**
 * The count k for which 100 · k/n is `percent` as printed (within half of its last of `decimals` places), or null when
 * there is none: a published number that is no share of its own denominator was computed on something else.
 */
export function publishedCount(percent: number, n: number, decimals = 2): number | null {
  const k = Math.round((percent / 100) * n);
  const half = 0.5 * 10 ** -decimals;
  // A tie of the last place may have been rounded either way, and a double holds neither exactly.
  return k >= 0 && k <= n && Math.abs((100 * k) / n - percent) <= half + 1e-9 ? k : null;
}
