import { checkLevel, type Estimate } from './interval.ts';
import { normalQuantile } from './normal.ts';
import { wilson } from './wilson.ts';

export interface Kappa extends Estimate {
  /** Large-sample standard error; 0 where the table shows no spread. */
  error: number;
}

/**
 * Cohen's κ of a square table of counts, rows one rater and columns the other: (p_o − p_e)/(1 − p_e), p_o the observed
 * agreement and p_e the one expected from the margins (J. Cohen, Educational and Psychological Measurement 20, 1960).
 * The interval is κ ± z·SE with the large-sample error of J. L. Fleiss, J. Cohen and B. S. Everitt (Psychological
 * Bulletin 72, 1969), cut to [−1, 1]. Where SE is 0 (all agree, or one side is constant) the table cannot show its own
 * spread, and Wilson's interval of p_o is carried through the formula instead, which keeps small samples wide.
 * `null` when κ is not defined: no observations, or both sides constant on one value. Throws on a table of another form.
 */
export function cohenKappa(table: readonly (readonly number[])[], level: number): Kappa | null {
  checkLevel(level);
  const size = table.length;
  if (table.some((row) => row.length !== size || row.some((count) => !(count >= 0 && Number.isFinite(count)))))
    throw new RangeError('κ needs a square table of counts');
  const n = table.flat().reduce((sum, count) => sum + count, 0);
  if (n === 0) return null;
  const share = (i: number, j: number) => (table[i]?.[j] ?? 0) / n;
  const all = [...table.keys()];
  const rows = all.map((i) => all.reduce((sum, j) => sum + share(i, j), 0));
  const columns = all.map((j) => all.reduce((sum, i) => sum + share(i, j), 0));
  const observed = all.reduce((sum, i) => sum + share(i, i), 0);
  const expected = all.reduce((sum, i) => sum + at(rows, i) * at(columns, i), 0);
  if (1 - expected < 1e-12) return null;
  const value = (observed - expected) / (1 - expected);
  const error = standardError({ share, rows, columns, all, value, expected, n });
  if (error === 0) {
    const agreement = wilson(observed * n, n, level);
    const through = (p: number) => Math.max(-1, Math.min(1, (p - expected) / (1 - expected)));
    return { value, error, lower: Math.min(value, through(agreement.lower)), upper: Math.max(value, through(agreement.upper)) };
  }
  const half = normalQuantile((1 + level) / 2) * error;
  return { value, error, lower: Math.max(-1, value - half), upper: Math.min(1, value + half) };
}

const at = (list: readonly number[], i: number): number => list[i] as number;

interface Shares {
  share(i: number, j: number): number;
  rows: readonly number[];
  columns: readonly number[];
  all: readonly number[];
  value: number;
  expected: number;
  n: number;
}

function standardError({ share, rows, columns, all, value, expected, n }: Shares): number {
  const rest = 1 - value;
  let sum = -((value - expected * rest) ** 2);
  for (const i of all)
    for (const j of all)
      sum +=
        i === j
          ? share(i, i) * (1 - (at(rows, i) + at(columns, i)) * rest) ** 2
          : rest ** 2 * share(i, j) * (at(columns, i) + at(rows, j)) ** 2;
  // What is left below 1e-12 is rounding of a variance that is 0.
  return sum < 1e-12 ? 0 : Math.sqrt(sum / n) / (1 - expected);
}
