/** Σx/n; NaN for no numbers. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** Σ(x − x̄)(y − ȳ)/(n − 1) of two lists of one length; 0 for fewer than two pairs, which show no spread. */
export function covariance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length) throw new RangeError(`expected two lists of one length, found ${x.length} and ${y.length} numbers`);
  if (x.length < 2) return 0;
  const [meanX, meanY] = [mean(x), mean(y)];
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += ((x[i] as number) - meanX) * ((y[i] as number) - meanY);
  return sum / (x.length - 1);
}

/** Σ(x − x̄)²/(n − 1). */
export const variance = (values: ArrayLike<number>): number => covariance(values, values);
