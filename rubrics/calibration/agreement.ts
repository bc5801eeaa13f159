import { cohenKappa } from '../statistics/cohen-kappa.ts';
import type { Estimate } from '../statistics/interval.ts';
import { type Alpha, krippendorffAlpha, type Rating } from '../statistics/krippendorff-alpha.ts';
import { CalibrationProblem } from './problem.ts';

export interface Agreement {
  raters: readonly string[];
  /** Pairs of ratings of one row that are equal, as a share of all such pairs; `null` without any. */
  rawAgreement: number | null;
  alphaNominal: Alpha | null;
  /** Only where every rating is a number. */
  alphaInterval: Alpha | null;
  /** Of exactly two raters, on the rows that both rated. */
  kappa: Estimate | null;
}

/** How well several raters agree with each other: the ceiling for any grader that is measured against them. */
export function agreement(raters: readonly string[], units: readonly (readonly Rating[])[], level: number): Agreement {
  const options = { level, seed: 'agreement of raters' };
  const numbers = units.every((unit) => unit.every((rating) => rating === null || typeof rating === 'number'));
  try {
    return {
      raters,
      rawAgreement: rawAgreement(units),
      alphaNominal: krippendorffAlpha(units, { ...options, metric: 'nominal' }),
      alphaInterval: numbers ? krippendorffAlpha(units, { ...options, metric: 'interval' }) : null,
      kappa: raters.length === 2 ? kappaOfTwo(units, level) : null,
    };
  } catch (error) {
    throw error instanceof RangeError ? new CalibrationProblem(`ratings of ${raters.join(', ')}: ${error.message}`) : error;
  }
}

function rawAgreement(units: readonly (readonly Rating[])[]): number | null {
  let [equal, pairs] = [0, 0];
  for (const unit of units) {
    const given = unit.filter((rating) => rating !== null);
    for (const [i, one] of given.entries()) {
      const others = given.slice(i + 1);
      pairs += others.length;
      equal += others.filter((other) => other === one).length;
    }
  }
  return pairs === 0 ? null : equal / pairs;
}

function kappaOfTwo(units: readonly (readonly Rating[])[], level: number): Estimate | null {
  const both = units.map((unit) => unit.filter((rating) => rating !== null)).filter((unit) => unit.length === 2);
  const values = [...new Set(both.flat())];
  const table = values.map(() => values.map(() => 0));
  for (const [one = '', other = ''] of both) {
    const row = table[values.indexOf(one)] as number[];
    const column = values.indexOf(other);
    row[column] = (row[column] as number) + 1;
  }
  const kappa = cohenKappa(table, level);
  return kappa === null ? null : { value: kappa.value, lower: kappa.lower, upper: kappa.upper };
}
