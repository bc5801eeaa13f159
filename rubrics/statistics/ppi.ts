import { checkLevel, type Estimate } from './interval.ts';
import { covariance, mean, variance } from './moments.ts';
import { normalQuantile } from './normal.ts';

/** Cases with a human's value y and the grader's f, pairwise, and the grader's f of cases that nobody looked at. */
export interface PpiData {
  labels: readonly number[];
  graded: readonly number[];
  unlabelled: readonly number[];
}

export interface PpiEstimate extends Estimate {
  /** How much the grader is trusted: 0 is the humans alone, 1 the grader corrected by the humans. */
  lambda: number;
  error: number;
}

/**
 * The mean of y by prediction-powered inference with power tuning (A. N. Angelopoulos et al., Science 382, 2023, and
 * "PPI++", 2023): λ·mean(f of the N unlabelled) + mean(y − λ·f of the n labelled), in units of y. The two sets must be
 * disjoint and the labelled one a random draw; then the estimate is right however bad the grader, which can only cost width.
 * λ = cov(y, f) / ((1 + n/N)·var f) minimises the variance var(y − λf)/n + λ²·var(f)/N; cov over the labelled, var f
 * over all, and λ is kept within [0, 1]. The interval is normal, estimate ± z·SE: n of at least 30 is wise.
 * `lambda` fixes λ instead. Throws on fewer than two labels, no unlabelled cases or lists of unequal length.
 */
export function ppiMean({ labels, graded, unlabelled }: PpiData, options: { level: number; lambda?: number }): PpiEstimate {
  checkLevel(options.level);
  const [n, more] = [labels.length, unlabelled.length];
  if (n !== graded.length) throw new RangeError(`each label needs its grade: ${n} labels, ${graded.length} grades`);
  if (n < 2 || more < 1) throw new RangeError(`expected at least 2 labelled cases and 1 other, found ${n} and ${more}`);
  const lambda = options.lambda ?? tunedLambda(labels, graded, unlabelled);
  const rectified = labels.map((label, i) => label - lambda * (graded[i] as number));
  const value = lambda * mean(unlabelled) + mean(rectified);
  const error = Math.sqrt(variance(rectified) / n + (lambda ** 2 * variance(unlabelled)) / more);
  const half = normalQuantile((1 + options.level) / 2) * error;
  return { value, lower: value - half, upper: value + half, lambda, error };
}

function tunedLambda(labels: readonly number[], graded: readonly number[], unlabelled: readonly number[]): number {
  const spread = variance([...graded, ...unlabelled]);
  if (spread === 0) return 0;
  const best = covariance(labels, graded) / ((1 + labels.length / unlabelled.length) * spread);
  return Math.max(0, Math.min(1, best));
}
