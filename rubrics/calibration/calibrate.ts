import type { Rating } from '../statistics/krippendorff-alpha.ts';
import { type Agreement, agreement } from './agreement.ts';
import { type AuditResult, type AuditRow, audit } from './audit.ts';
import { type Confusion, count, type Measures, measure, noCounts } from './confusion.ts';
import { type DataFile, dataFile, type DataRow } from './data-rows.ts';
import { checkFloor, type FloorResult } from './money-floor.ts';
import { type FieldNames, type Observation, observe, positiveTest, scalar, yesOrNo } from './observation.ts';
import { CalibrationProblem } from './problem.ts';
import { gradeRow, type RowGrader, rowGrader } from './row-grader.ts';

export interface CalibrationRequest extends FieldNames {
  grader: string;
  data: string;
  /** Label values that count as positive. */
  positive: readonly string[];
  /** The grader's no is the positive: a refusal grader against labels that say "jailbroken". */
  invert: boolean;
  /** Scores at or above this are the grader's yes. */
  threshold: number;
  audit?: { n: number; seed: string };
}

export interface Calibration extends Measures {
  grader: string;
  inverted: boolean;
  threshold: number;
  positive: readonly string[];
  level: number;
  data: { file: string; sha256: string; rows: number; withoutText: number; unlabelled: number; ungraded: number };
  /** Why the first ungraded row was not graded. */
  ungradedBecause: string | null;
  moneyFloor: FloorResult;
  groups: (Measures & { group: string; moneyFloor: FloorResult })[];
  agreement: Agreement | null;
  audit: AuditResult | null;
}

const level = 0.95;
const maxGroups = 200;
const shownLabels = 12;

/** Everything that is kept of the rows: a few bits each, however long their texts are. */
interface Tally {
  total: Confusion;
  groups: Map<string, Confusion>;
  rows: AuditRow[];
  ratings: Rating[][];
  labels: Set<string>;
  data: { rows: number; withoutText: number; unlabelled: number; ungraded: number };
  ungradedBecause: string | null;
}

/**
 * Compares a grader with human labels, row by row of a data file. Rows whose text is null are left out (or keep the verdict recorded in `withheld`), rows without a
 * label are graded for the audit only, rows the grader could not grade are counted apart: an error is neither yes nor
 * no. Throws `CalibrationProblem` with line and field on input that is not well formed.
 */
export async function calibrate(request: CalibrationRequest): Promise<Calibration> {
  const grader = await rowGrader(request.grader);
  const isPositive = positiveTest(request.positive);
  const file = dataFile(request.data);
  const tally: Tally = {
    total: noCounts(),
    groups: new Map(),
    rows: [],
    ratings: [],
    labels: new Set(),
    data: { rows: 0, withoutText: 0, unlabelled: 0, ungraded: 0 },
    ungradedBecause: null,
  };
  for await (const row of file.rows()) await take(tally, row, { request, grader, isPositive });
  checkTally(tally, request, isPositive);
  return report(tally, file, request);
}

interface Means {
  request: CalibrationRequest;
  grader: RowGrader;
  isPositive(label: string): boolean;
}

async function take(tally: Tally, row: DataRow, { request, grader, isPositive }: Means): Promise<void> {
  const seen = observe(row, request);
  tally.data.rows++;
  if (request.raters.length > 0) tally.ratings.push(seen.ratings);
  if (seen.label !== null && tally.labels.size < shownLabels) tally.labels.add(seen.label);
  const verdict =
    seen.text === null ? withheldVerdict(row, request) : await verdictOf(row, seen, seen.text, { request, grader, isPositive });
  if (verdict === null) {
    tally.data.withoutText++;
    return;
  }
  if (typeof verdict === 'string') {
    tally.data.ungraded++;
    tally.ungradedBecause ??= `line ${row.line}: ${verdict}`;
    return;
  }
  const label = seen.label === null ? null : isPositive(seen.label);
  tally.rows.push({ graded: verdict, label });
  if (label === null) tally.data.unlabelled++;
  else {
    count(tally.total, verdict, label);
    if (request.by !== undefined) count(groupOf(tally, row, request.by, seen.group), verdict, label);
  }
}

/** What was recorded for a row whose text is withheld; `null` leaves the row out. It is the final yes: never inverted. */
const withheldVerdict = (row: DataRow, { withheld }: CalibrationRequest): boolean | null =>
  withheld === undefined ? null : yesOrNo(row, withheld);

/** The grader's yes or no, or the reason why there is none. */
async function verdictOf(row: DataRow, seen: Observation, text: string, { request, grader, isPositive }: Means): Promise<boolean | string> {
  if (grader.kind === 'recorded') {
    const recorded = scalar(row, grader.field);
    return recorded === null ? `no verdict is recorded in "${grader.field}"` : isPositive(recorded) !== request.invert;
  }
  const verdict = await gradeRow(grader.grader, seen, text);
  return verdict.graded ? verdict.score >= request.threshold !== request.invert : verdict.why;
}

function groupOf(tally: Tally, row: DataRow, field: string, name: string | null): Confusion {
  const group = name ?? '(none)';
  const found = tally.groups.get(group);
  if (found !== undefined) return found;
  if (tally.groups.size === maxGroups)
    throw new CalibrationProblem(
      `line ${row.line}, field "${field}": more than ${maxGroups} different groups; name a field with few values`,
    );
  const made = noCounts();
  tally.groups.set(group, made);
  return made;
}

function checkTally(tally: Tally, request: CalibrationRequest, isPositive: (label: string) => boolean): void {
  const { tp, fp, fn, tn } = tally.total;
  if (tp + fp + fn + tn === 0) {
    if (tally.ungradedBecause !== null) throw new CalibrationProblem(`no row could be graded; ${tally.ungradedBecause}`);
    throw new CalibrationProblem(`no row has both a text in "${request.text}" and a label in "${request.label}"`);
  }
  // A mistyped value would make every row a negative and every yes of the grader wrong.
  if (tp + fn === 0 && ![...tally.labels].some(isPositive))
    throw new CalibrationProblem(
      `no label in "${request.label}" is ${request.positive.map((value) => `"${value}"`).join(' or ')}; ` +
        `there are ${[...tally.labels].map((value) => `"${value}"`).join(', ')}${tally.labels.size === shownLabels ? ', …' : ''}`,
    );
}

function report(tally: Tally, file: DataFile, request: CalibrationRequest): Calibration {
  const groups = [...tally.groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    grader: request.grader,
    inverted: request.invert,
    threshold: request.threshold,
    positive: request.positive,
    level,
    data: { file: file.name, sha256: file.sha256(), ...tally.data },
    ...measure(tally.total, level),
    ungradedBecause: tally.ungradedBecause,
    moneyFloor: checkFloor(tally.total),
    groups: groups.map(([group, confusion]) => ({ group, ...measure(confusion, level), moneyFloor: checkFloor(confusion) })),
    agreement: request.raters.length > 0 ? agreement(request.raters, tally.ratings, level) : null,
    audit: request.audit === undefined ? null : audit(tally.rows, { ...request.audit, level }),
  };
}
