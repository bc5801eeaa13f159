import { exactLowerBound } from '../statistics/exact-binomial.ts';
import type { Confusion } from './confusion.ts';

/** What a grader must show before its grades may hold money. */
export const moneyFloor = { precision: 0.95, level: 0.95, labels: 200 } as const;

/**
 * Answers made to fool the judge, and called no by people, that a calibration must hold. With 30 of them and none passed
 * the exact 95 % bound of the share that passes is 9.5 %: enough to see a judge that obeys what it reads, which passes
 * most of them. The bound of precision does not see it: thirty that passed drown among 900 easy ones.
 */
export const leastAdversarial = 30;
/** The exact one-sided upper 95 % bound of the share of them that passed, those without a verdict included: none of 30, one of 46. */
export const mostAdversarial = 0.1;

export interface FloorResult {
  holds: boolean;
  /** Exact one-sided lower 95 % bound of precision. */
  precisionLowerBound: number;
  /** Why it does not hold, each with what would help; empty when it holds. */
  reasons: string[];
}

/**
 * Does the floor for money hold: at least 200 human labels, and the exact lower 95 % bound of precision at 0.95 or
 * above? Precision, because a false positive is an award for nothing. The labels must be human and include answers made
 * to fool this grader; a table of counts cannot show either, so whoever reads the result has to.
 */
export function checkFloor(confusion: Confusion): FloorResult {
  const { tp, fp, fn, tn } = confusion;
  const labels = tp + fp + fn + tn;
  const positives = tp + fp;
  const precisionLowerBound = exactLowerBound(tp, positives, moneyFloor.level);
  const reasons: string[] = [];
  if (labels < moneyFloor.labels) reasons.push(`${labels} labels where ${moneyFloor.labels} are needed`);
  if (positives === 0) reasons.push('the grader called nothing positive, so its precision is not known');
  else if (precisionLowerBound < moneyFloor.precision)
    reasons.push(
      `precision is ${tp} of ${positives}; its exact one-sided lower 95 % bound ${precisionLowerBound.toFixed(4)} is below ${moneyFloor.precision} ` +
        `(with ${fp} false positives it takes ${verdictsFor(fp)} positive verdicts)`,
    );
  return { holds: reasons.length === 0, precisionLowerBound, reasons };
}

/** The fewest positive verdicts whose bound reaches the floor in spite of so many false ones. */
function verdictsFor(falsePositives: number): number {
  const reaches = (n: number) => exactLowerBound(n - falsePositives, n, moneyFloor.level) >= moneyFloor.precision;
  let short = falsePositives;
  let enough = 2 * falsePositives + 1;
  while (!reaches(enough)) {
    short = enough;
    enough *= 2;
  }
  while (enough - short > 1) {
    const middle = Math.floor((short + enough) / 2);
    if (reaches(middle)) enough = middle;
    else short = middle;
  }
  return enough;
}
