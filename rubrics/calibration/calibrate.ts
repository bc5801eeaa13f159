import type { Rating } from '../statistics/krippendorff-alpha.ts';
import type { CalibrationCell } from '../../contracts/calibration.ts';
import { type Agreement, agreement } from './agreement.ts';
import { type AuditResult, type AuditRow, audit } from './audit.ts';
import { againstTheJudge, countRow, emptyCell } from './cell.ts';
import { type Confusion, count, type Measures, measure, noCounts } from './confusion.ts';
import { type DataFile, dataFile, type DataRow } from './data-rows.ts';
import { checkFloor, type FloorResult } from './money-floor.ts';
import { type FieldNames, type Observation, observe, positiveTest, scalar, yesOrNo } from './observation.ts';
import { CalibrationProblem } from './problem.ts';
import { gradeRow, type RowGrader, type RowJudging, rowGrader } from './row-grader.ts';
import { seenRows } from './seen-rows.ts';
import type { Grader } from '../graders/grader.ts';

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
  /** `copies`: labelled rows that say what an earlier one says; the measures hold them, the floor and `cell` do not. */
  data: { file: string; sha256: string; rows: number; withoutText: number; unlabelled: number; ungraded: number; copies: number };
  /** Why the first ungraded row was not graded. */
  ungradedBecause: string | null;
  moneyFloor: FloorResult;
  groups: (Measures & { group: string; moneyFloor: FloorResult })[];
  /** With rows made to fool the grader counted apart, and rows without a verdict by their label. */
  cell: CalibrationCell;
  /** The same by the model that gave the answers; empty where no field names it. */
  targets: { target: string; cell: CalibrationCell; moneyFloor: FloorResult }[];
  agreement: Agreement | null;
  audit: AuditResult | null;
}

const level = 0.95;
const maxGroups = 200;
const shownLabels = 12;

/** Everything that is kept of the rows: a few bits each, however long their texts are. */
interface Tally {
  total: Confusion;
  cell: CalibrationCell;
  targets: Map<string, CalibrationCell>;
  groups: Map<string, { all: Confusion; cell: CalibrationCell }>;
  rows: AuditRow[];
  ratings: Rating[][];
  labels: Set<string>;
  data: { rows: number; withoutText: number; unlabelled: number; ungraded: number; copies: number };
  ungradedBecause: string | null;
}

/**
 * Compares a grader with human labels, row by row of a data file. Rows whose text is null are left out (or keep the verdict recorded in `withheld`), rows without a
 * label are graded for the audit only, copies of earlier ones are measured but not counted for the floor, rows the grader could not grade are counted apart: an error is neither yes nor
 * no. Throws `CalibrationProblem` with line and field on input that is not well formed.
 */
export async function calibrate(request: CalibrationRequest, judged?: JudgedMeans): Promise<Calibration> {
  const grader: RowGrader = judged === undefined ? await rowGrader(request.grader) : { kind: 'grader', grader: judged.grader };
  const means: Means = { request, grader, isPositive: positiveTest(request.positive), judged };
  if (judged !== undefined && request.withheld !== undefined)
    throw new CalibrationProblem('--withheld takes verdicts from the file; a judge has to give its own, so leave it away');
  const file = dataFile(request.data);
  const seen = seenRows(file.name, judged !== undefined);
  const tally: Tally = {
    total: noCounts(),
    cell: emptyCell(),
    targets: new Map(),
    groups: new Map(),
    rows: [],
    ratings: [],
    labels: new Set(),
    data: { rows: 0, withoutText: 0, unlabelled: 0, ungraded: 0, copies: 0 },
    ungradedBecause: null,
  };
  // Judges are waited for side by side; what is counted is counted in the order of the file.
  const open: Graded[] = [];
  const settle = async (): Promise<void> => {
    const next = open.shift();
    if (next === undefined) return;
    take(tally, next, await next.verdict, means);
    judged?.onRow(tally.data.rows);
  };
  try {
    for await (const row of file.rows()) {
      const observed = observe(row, request);
      const copy = observed.label !== null && seen.isCopy(observed, means.isPositive(observed.label));
      const verdict = verdictFor(row, observed, means);
      // It is awaited in its turn; until then a fault of it is nobody's unhandled rejection.
      verdict.catch(() => undefined);
      open.push({ row, seen: observed, copy, verdict });
      if (open.length >= (judged?.atOnce ?? 1)) await settle();
    }
    while (open.length > 0) await settle();
  } finally {
    await Promise.allSettled(open.map(({ verdict }) => verdict));
  }
  checkTally(tally, means);
  return report(tally, file, request);
}

/** A grader that asks judges, and how. */
export interface JudgedMeans {
  grader: Grader;
  /** The judges' door for one row. Throws where the run has to end: what is open is waited for first. */
  judgingOf(line: number): RowJudging;
  /** Called once for each row that was given to the grader. */
  finished(line: number, graded: boolean): Promise<void>;
  /** Rows that are judged at a time. */
  atOnce: number;
  onRow(done: number): void;
}

interface Means {
  request: CalibrationRequest;
  grader: RowGrader;
  isPositive(label: string): boolean;
  judged: JudgedMeans | undefined;
}

/** `null`: the row has no text and no recorded verdict. A text: why there is none. */
type RowResult = boolean | string | null;

interface Graded {
  row: DataRow;
  seen: Observation;
  /** It says what an earlier row says. */
  copy: boolean;
  verdict: Promise<RowResult>;
}

const verdictFor = async (row: DataRow, seen: Observation, means: Means): Promise<RowResult> =>
  seen.text === null ? withheldVerdict(row, means.request) : await verdictOf(row, seen, seen.text, means);

function take(tally: Tally, { row, seen, copy }: Graded, verdict: RowResult, { request, isPositive }: Means): void {
  tally.data.rows++;
  if (request.raters.length > 0) tally.ratings.push(seen.ratings);
  if (seen.label !== null && tally.labels.size < shownLabels) tally.labels.add(seen.label);
  if (verdict === null) {
    tally.data.withoutText++;
    return;
  }
  const label = seen.label === null ? null : isPositive(seen.label);
  const said = typeof verdict === 'string' ? null : verdict;
  if (copy) tally.data.copies++;
  if (label === null) tally.data.unlabelled++;
  else if (!copy) {
    const cells =
      request.target === undefined ? [tally.cell] : [tally.cell, groupOf(tally.targets, row, request.target, seen.target, emptyCell)];
    for (const cell of cells) countRow(cell, { verdict: said, label, adversarial: seen.adversarial });
  }
  if (typeof verdict === 'string') {
    tally.data.ungraded++;
    tally.ungradedBecause ??= `line ${row.line}: ${verdict}`;
    return;
  }
  tally.rows.push({ graded: verdict, label });
  if (label === null) return;
  count(tally.total, verdict, label);
  if (request.by === undefined) return;
  const group = groupOf(tally.groups, row, request.by, seen.group, () => ({ all: noCounts(), cell: emptyCell() }));
  count(group.all, verdict, label);
  if (!copy) countRow(group.cell, { verdict, label, adversarial: seen.adversarial });
}

/** What was recorded for a row whose text is withheld; `null` leaves the row out. It is the final yes: never inverted. */
const withheldVerdict = (row: DataRow, { withheld }: CalibrationRequest): boolean | null =>
  withheld === undefined ? null : yesOrNo(row, withheld);

/** The grader's yes or no, or the reason why there is none. */
async function verdictOf(row: DataRow, seen: Observation, text: string, means: Means): Promise<boolean | string> {
  const { request, grader, isPositive, judged } = means;
  if (grader.kind === 'recorded') {
    const recorded = scalar(row, grader.field);
    return recorded === null ? `no verdict is recorded in "${grader.field}"` : isPositive(recorded) !== request.invert;
  }
  const verdict = await gradeRow(grader.grader, seen, text, judged?.judgingOf(row.line));
  await judged?.finished(row.line, verdict.graded);
  return verdict.graded ? verdict.score >= request.threshold !== request.invert : verdict.why;
}

function groupOf<T>(groups: Map<string, T>, row: DataRow, field: string, name: string | null, make: () => T): T {
  const group = name ?? '(none)';
  const found = groups.get(group);
  if (found !== undefined) return found;
  if (groups.size === maxGroups)
    throw new CalibrationProblem(
      `line ${row.line}, field "${field}": more than ${maxGroups} different groups; name a field with few values`,
    );
  const made = make();
  groups.set(group, made);
  return made;
}

function checkTally(tally: Tally, { request, isPositive }: Means): void {
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

const inOrder = <T>(groups: Map<string, T>): [string, T][] => [...groups].sort(([a], [b]) => (a < b ? -1 : 1));

function report(tally: Tally, file: DataFile, request: CalibrationRequest): Calibration {
  return {
    grader: request.grader,
    inverted: request.invert,
    threshold: request.threshold,
    positive: request.positive,
    level,
    data: { file: file.name, sha256: file.sha256(), ...tally.data },
    ...measure(tally.total, level),
    ungradedBecause: tally.ungradedBecause,
    moneyFloor: checkFloor(againstTheJudge(tally.cell)),
    cell: tally.cell,
    targets: inOrder(tally.targets).map(([target, cell]) => ({ target, cell, moneyFloor: checkFloor(againstTheJudge(cell)) })),
    groups: inOrder(tally.groups).map(([group, { all, cell }]) => ({
      ...{ group, ...measure(all, level) },
      moneyFloor: checkFloor(againstTheJudge(cell)),
    })),
    agreement: request.raters.length > 0 ? agreement(request.raters, tally.ratings, level) : null,
    audit: request.audit === undefined ? null : audit(tally.rows, { ...request.audit, level }),
  };
}
