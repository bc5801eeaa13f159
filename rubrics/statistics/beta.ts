/** Terms of Stirling's series B₂ₖ / (2k(2k − 1)); from 15 on their error is below 1e-17. */
const stirling = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156];
const halfLogTwoPi = 0.5 * Math.log(2 * Math.PI);

/** ln Γ(x) for x > 0 by Stirling's series, raised to 15 by Γ(x) = Γ(x + 1)/x. Relative error about 1e-15. */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`ln Γ is computed for positive numbers, not ${x}`);
  let below = 1;
  let at = x;
  for (; at < 15; at++) below *= at;
  const squared = 1 / (at * at);
  const series = stirling.reduceRight((sum, term) => sum * squared + term, 0) / at;
  return (at - 0.5) * Math.log(at) - at + halfLogTwoPi + series - Math.log(below);
}

const maxTerms = 20_000;
const tiny = 1e-300;

/**
 * The regularised incomplete beta function I_x(a, b) for a, b > 0 and 0 ≤ x ≤ 1: its continued fraction (NIST Digital
 * Library of Mathematical Functions, 8.17.22) evaluated by Lentz's method, on the side of the mean where it converges
 * fast. About 1e-13 relative up to a + b of a million; throws when it does not converge.
 */
export function regularizedBeta(x: number, a: number, b: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1)) throw new RangeError(`I_x(a, b) is not defined for x = ${x}, a = ${a}, b = ${b}`);
  if (x === 0 || x === 1) return x;
  if (x > (a + 1) / (a + b + 2)) return 1 - leftOfMean(1 - x, b, a);
  return leftOfMean(x, a, b);
}

function leftOfMean(x: number, a: number, b: number): number {
  const logFront = a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b) - Math.log(a);
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= maxTerms; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) return Math.exp(logFront) * fraction;
  }
  throw new RangeError(`I_x(a, b) did not converge for x = ${x}, a = ${a}, b = ${b}`);
}

const awayFromZero = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
