import { seededRandom } from '../random.ts';
import type { Estimate } from '../statistics/interval.ts';
import { type PpiEstimate, ppiMean } from '../statistics/ppi.ts';
import { wilson } from '../statistics/wilson.ts';
import { CalibrationProblem } from './problem.ts';

/** One graded row: what the grader said, and the human if one looked. */
export interface AuditRow {
  graded: boolean;
  label: boolean | null;
}

export interface AuditResult {
  /** Labels drawn for the audit. */
  n: number;
  /** Rows the estimate is about, the audited ones included. */
  rows: number;
  seed: string;
  /** Share of true positives among all rows: PPI++ from the audited labels and every grade. */
  estimate: PpiEstimate;
  /** The same share from the audited labels alone, with Wilson's interval. */
  labelsAlone: Estimate;
  /** What the grader alone would say, without any claim to be right. */
  graderAlone: number;
  /** The share among all labels of the file, when every row has one: what the estimate should contain. */
  allLabels: number | null;
}

/**
 * What an audit of `n` labels would have said: draws n labelled rows without replacement from the seed, hides the other
 * labels, and estimates the share of positives with PPI++. Where some rows have no label, the labelled ones have to be
 * a random draw themselves. Shares are kept within [0, 1].
 */
export function audit(rows: readonly AuditRow[], options: { n: number; seed: string; level: number }): AuditResult {
  const labelled = rows.flatMap((row, i) => (row.label === null ? [] : [i]));
  const { n, seed, level } = options;
  if (n > labelled.length || n >= rows.length)
    throw new CalibrationProblem(
      `an audit of ${n} needs ${n} labelled rows and at least one more row; there are ${labelled.length} of ${rows.length}`,
    );
  const drawn = new Set(draw(labelled, n, seed));
  const audited = rows.filter((_, i) => drawn.has(i));
  const ones = (list: readonly AuditRow[], read: (row: AuditRow) => boolean | null) => list.map((row) => (read(row) === true ? 1 : 0));
  const labels = ones(audited, (row) => row.label);
  const estimate = ppiMean(
    {
      labels,
      graded: ones(audited, (row) => row.graded),
      unlabelled: ones(
        rows.filter((_, i) => !drawn.has(i)),
        (row) => row.graded,
      ),
    },
    { level },
  );
  const hits = labels.filter((label) => label === 1).length;
  return {
    n,
    rows: rows.length,
    seed,
    estimate: { ...estimate, value: inShare(estimate.value), lower: inShare(estimate.lower), upper: inShare(estimate.upper) },
    labelsAlone: { value: hits / n, ...wilson(hits, n, level) },
    graderAlone: rows.filter((row) => row.graded).length / rows.length,
    allLabels: labelled.length === rows.length ? rows.filter((row) => row.label === true).length / rows.length : null,
  };
}

const inShare = (value: number): number => Math.max(0, Math.min(1, value));

/** The first n of a seeded shuffle (Fisher and Yates). */
function draw(items: readonly number[], n: number, seed: string): number[] {
  const random = seededRandom(`audit ${seed}`);
  const pool = [...items];
  for (let i = 0; i < n; i++) {
    const j = i + Math.floor(random() * (pool.length - i));
    [pool[i], pool[j]] = [pool[j] as number, pool[i] as number];
  }
  return pool.slice(0, n);
}
