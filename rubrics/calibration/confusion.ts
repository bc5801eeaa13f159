import { cohenKappa } from '../statistics/cohen-kappa.ts';
import type { Interval } from '../statistics/interval.ts';
import { wilson } from '../statistics/wilson.ts';

/** Grader against human: true and false positives and negatives, as counts. */
export interface Confusion {
  tp: number;
  fp: number;
  fn: number;
  tn: number;
}

export interface Measures extends Confusion {
  n: number;
  accuracy: number;
  precision: number;
  recall: number;
  f1: number;
  /** `null` where κ is not defined: both sides constant on one value. */
  kappa: number | null;
  /** Two-sided, for reading; money waits for an exact bound instead. */
  intervals: Record<'accuracy' | 'precision' | 'recall' | 'f1', Interval> & { kappa: Interval | null };
}

export const noCounts = (): Confusion => ({ tp: 0, fp: 0, fn: 0, tn: 0 });

export function count(confusion: Confusion, predicted: boolean, labelled: boolean): void {
  if (predicted) confusion[labelled ? 'tp' : 'fp']++;
  else confusion[labelled ? 'fn' : 'tn']++;
}

/**
 * Accuracy (tp + tn)/n, precision tp/(tp + fp), recall tp/(tp + fn) with Wilson's intervals; F1 = 2tp/(2tp + fp + fn);
 * Cohen's κ with its large-sample interval. A share of nothing (no positive verdict, no positive label) is 0 with the
 * interval [0, 1]. F1 is 2J/(1 + J) of the share J = tp/(tp + fp + fn), so its interval is that of J, carried over.
 */
export function measure(confusion: Confusion, level: number): Measures {
  const { tp, fp, fn, tn } = confusion;
  const n = tp + fp + fn + tn;
  const share = (k: number, of: number) => ({ value: of === 0 ? 0 : k / of, interval: wilson(k, of, level) });
  const [accuracy, precision, recall, overlap] = [share(tp + tn, n), share(tp, tp + fp), share(tp, tp + fn), share(tp, tp + fp + fn)];
  const f1 = (j: number) => (2 * j) / (1 + j);
  const kappa = cohenKappa(
    [
      [tp, fp],
      [fn, tn],
    ],
    level,
  );
  return {
    n,
    ...confusion,
    accuracy: accuracy.value,
    precision: precision.value,
    recall: recall.value,
    f1: f1(overlap.value),
    kappa: kappa === null ? null : kappa.value,
    intervals: {
      accuracy: accuracy.interval,
      precision: precision.interval,
      recall: recall.interval,
      f1: { lower: f1(overlap.interval.lower), upper: f1(overlap.interval.upper) },
      kappa: kappa === null ? null : { lower: kappa.lower, upper: kappa.upper },
    },
  };
}
