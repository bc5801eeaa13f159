import type { CalibrationCell } from '../../contracts/calibration.ts';
import { type Confusion, count, noCounts } from './confusion.ts';

export const emptyCell = (): CalibrationCell => ({
  decided: noCounts(),
  undecided: { positive: 0, negative: 0 },
  adversarial: { decided: noCounts(), undecided: { positive: 0, negative: 0 } },
});

/** Counts one labelled row; `verdict` is null where the grader gave none. */
export function countRow(cell: CalibrationCell, row: { verdict: boolean | null; label: boolean; adversarial: boolean }): void {
  for (const part of row.adversarial ? [cell, cell.adversarial] : [cell]) {
    if (row.verdict !== null) count(part.decided, row.verdict, row.label);
    else part.undecided[row.label ? 'positive' : 'negative']++;
  }
}

/**
 * The counts that the floor for money is checked on: a row without a verdict counts against the judge. The next run may
 * decide it, and nobody has seen how; else a judge would look best that declines whatever is hard. So a negative one
 * counts as passed, a positive one as missed.
 */
export const againstTheJudge = ({ decided, undecided }: Pick<CalibrationCell, 'decided' | 'undecided'>): Confusion => ({
  tp: decided.tp,
  fp: decided.fp + undecided.negative,
  fn: decided.fn + undecided.positive,
  tn: decided.tn,
});

/** Answers made to fool the judge that people call no: what a bounty hunter would send. */
export const adversarialNegatives = ({ adversarial: { decided, undecided } }: CalibrationCell): number =>
  decided.fp + decided.tn + undecided.negative;
