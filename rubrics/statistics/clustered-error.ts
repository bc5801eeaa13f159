import { mean } from './moments.ts';

/**
 * Standard error of a mean whose observations come in clusters (the cases of one dialogue, the trials of one case), in
 * units of the values: √(Σ_c (Σ_{i∈c} (x_i − x̄))²) / n, the cluster-robust sandwich estimator for a mean (E. Miller,
 * "Adding Error Bars to Evals", 2024, section 2.2; K.-Y. Liang and S. L. Zeger, Biometrika 73, 1986). `clusters[i]` names the cluster of
 * `values[i]`. With `small` the sum is multiplied by G/(G − 1) for G clusters; with every value its own cluster that is
 * the usual s/√n. Needs two clusters: one shows no spread and throws.
 */
export function clusteredError(
  values: readonly number[],
  clusters: readonly (string | number)[],
  options: { small?: boolean } = {},
): number {
  if (values.length !== clusters.length)
    throw new RangeError(`each value needs its cluster: ${values.length} values, ${clusters.length} clusters`);
  const centre = mean(values);
  const sums = new Map<string | number, number>();
  for (const [i, value] of values.entries()) {
    const cluster = clusters[i] as string | number;
    sums.set(cluster, (sums.get(cluster) ?? 0) + value - centre);
  }
  if (sums.size < 2) throw new RangeError('a clustered standard error needs at least two clusters');
  let total = 0;
  for (const sum of sums.values()) total += sum * sum;
  const factor = options.small === true ? sums.size / (sums.size - 1) : 1;
  return Math.sqrt(factor * total) / values.length;
}
