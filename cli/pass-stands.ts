import { awardStanding } from '../domain/judge-audits.ts';
import type { ApplyOptions } from '../domain/regrading-apply.ts';
import { stopLoss } from '../rubrics/calibration/award-rule.ts';
import { passStands } from '../rubrics/calibration/guard-award.ts';

/** The award rule for whoever applies a regrading, read in the applying transaction. */
export const passStandsNow: ApplyOptions['passStands'] = (trx, { hash, rubric }) =>
  passStands(rubric, () => awardStanding(trx, hash, stopLoss.window));
