import type { Interval } from './interval.ts';
import { normalQuantile } from './normal.ts';

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
