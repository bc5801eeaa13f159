import { canonicalJson } from '../../contracts/canonical.ts';
import { type CalibrationCell, CalibrationReport, maxReportBytes } from '../../contracts/calibration.ts';
import { parseBoundedJson } from '../../contracts/json.ts';
import type { JudgeSpec } from '../../contracts/judging.ts';
import type { Criterion, Rubric } from '../../contracts/rubric.ts';
import { countsInScore, scoreInputs } from '../gates/score-inputs.ts';
import { exactUpperBound } from '../statistics/exact-binomial.ts';
import { compileQuestion } from '../judging/question.ts';
import { adversarialNegatives, againstTheJudge } from './cell.ts';
import { graderIdentity, judgedParts, type JudgedSpec, judgeIdentity, panelsOf } from './judge-identity.ts';
import { checkFloor, leastAdversarial, moneyFloor, mostAdversarial } from './money-floor.ts';

/** May money hang on the scores of a rubric, as far as its judges go? */
export interface JudgeMoney {
  /** The score depends on a judge. */
  judged: boolean;
  holdsMoney: boolean;
  /** Why not, each for a participant and with what would change it; empty when it holds. */
  reasons: string[];
}

/** Bytes of a file of the rubric; undefined when it has none of that path. */
type FileAt = (path: string) => Uint8Array | undefined;
const threshold = 0.5;

/**
 * Money may hang on judged scores only where, for every criterion that moves the score, each grading and each held-out
 * judge was compared with people: the very judge and question, on one set of answers, of the rubric's own targets, the
 * floor for money held on each of them, with enough answers made to fool it. Pure: reads nothing but the
 * rubric's own files. It checks what reports claim, not that they are true: whoever publishes a bounty reruns them
 * (docs/decisions/0014-calibrated-judges.md).
 */
export function judgeMoney(rubric: Rubric, fileAt: FileAt): JudgeMoney {
  const inputs = scoreInputs(rubric);
  const judged = rubric.criteria.filter((criterion) => countsInScore(criterion, inputs) && judgedParts(criterion.grader).length > 0);
  // A person decides reports: no score is made of what a judge says about one.
  const reportsOnly = rubric.submission.every(({ kind }) => kind === 'report');
  if (judged.length === 0 || reportsOnly) return { judged: false, holdsMoney: true, reasons: [] };
  const reasons = judged.flatMap((criterion) =>
    criterionReasons(criterion, rubric, fileAt).map((reason) => `${criterion.name}: ${reason}`),
  );
  return { judged: true, holdsMoney: reasons.length === 0, reasons };
}

function criterionReasons(criterion: Criterion, rubric: Rubric, fileAt: FileAt): string[] {
  const [part, more] = judgedParts(criterion.grader);
  if (part === undefined) return [];
  if (more !== undefined) return ['its grader holds more than one judge or jury; make each a criterion of its own'];
  const panels = panelsOf(part);
  const reasons = formReasons(part, criterion);
  if (panels.heldOut.length === 0) reasons.push('it has no held-out judge, which participants never face');
  const used = new Set([...panels.grading, ...panels.heldOut].flat());
  const recorded = rubric.judges.filter(({ name, provider }) => used.has(name) && provider !== 'openai' && provider !== 'anthropic');
  for (const { name, provider } of recorded)
    reasons.push(`the judge "${name}" is ${provider === 'replay' ? 'a recording' : 'simulated'}, and no money hangs on that`);
  const swapped = rubric.targets.find(({ replaceable }) => replaceable);
  if (swapped !== undefined) reasons.push(`the target "${swapped.name}" can be replaced by one that nothing was calibrated on`);
  const read = readReports(criterion.name, rubric, fileAt);
  reasons.push(...read.problems);
  const found = [...panels.grading, ...panels.heldOut].map((panel) =>
    panelReport(panel, { part, criterion, rubric, reports: read.reports }),
  );
  reasons.push(...found.flatMap((one) => one.reasons));
  const sets = new Set(found.flatMap(({ report }) => (report === null ? [] : [setOf(report)])));
  if (sets.size > 1) reasons.push('its judges were compared with people on different sets of answers; it takes one set for all of them');
  return reasons;
}

/** A calibration measures a yes or no; a share of a point that a judge gives has not been measured by it. */
function formReasons({ kind, question }: JudgedSpec, { gate }: Criterion): string[] {
  const twoValued =
    kind === 'jury' ||
    question.form === 'yes-no' ||
    (question.form === 'scale' && question.atLeast !== undefined) ||
    (question.form === 'criteria' && question.criteria.length === 1);
  if (twoValued || gate?.atLeast === 1) return [];
  return [
    'its judge gives parts of a point, and only a yes or no can be calibrated: ask one yes/no question, name "atLeast", or use a jury',
  ];
}

interface Claimed {
  path: string;
  report: CalibrationReport;
}

function readReports(criterion: string, rubric: Rubric, fileAt: FileAt): { reports: Claimed[]; problems: string[] } {
  const paths = rubric.calibrations.filter((one) => one.criterion === criterion).map(({ report }) => report);
  const reports: Claimed[] = [];
  const problems: string[] = [];
  for (const path of new Set(paths)) {
    const parsed = parseReport(fileAt(path));
    if (typeof parsed === 'string') problems.push(`the calibration "${path}" ${parsed}`);
    else reports.push({ path, report: parsed });
  }
  return { reports, problems };
}

/** A report, or what is wrong with its file. */
export function parseReport(bytes: Uint8Array | undefined): CalibrationReport | string {
  if (bytes === undefined) return 'is not in the rubric’s folder';
  const json = parseBoundedJson(bytes, { maxBytes: maxReportBytes, maxDepth: 16 });
  if (!json.ok) return `cannot be read: ${json.problem}`;
  const parsed = CalibrationReport.safeParse(json.value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `is no report of \`collective calibrate --out\`: ${issue?.path.join('/') ?? ''} ${issue?.message ?? ''}`;
}

interface Wanted {
  part: JudgedSpec;
  criterion: Criterion;
  rubric: Rubric;
  reports: readonly Claimed[];
}

function panelReport(panel: readonly string[], wanted: Wanted): { report: CalibrationReport | null; reasons: string[] } {
  const { rubric, reports, part, criterion } = wanted;
  const judges = panel.flatMap((name) => rubric.judges.find((judge) => judge.name === name) ?? []);
  const who = judges.map(({ name, provider, model }) => `"${name}" (${provider} ${model})`).join(', ');
  const about = reports.filter(({ report }) => sameJudges(report, judges));
  if (about.length === 0) return { report: null, reasons: [`no calibration is about ${who}, with its model and settings of today`] };
  const asked = about.filter(({ report }) => askedTheSame(report, part, criterion));
  const [claimed] = asked;
  if (claimed === undefined) {
    return { report: null, reasons: [`${who} was calibrated with another grader or prompt (${about.map(({ path }) => path).join(', ')})`] };
  }
  const { path, report } = claimed;
  return { report, reasons: countReasons(report, rubric).map((reason) => `${who}, by ${path}: ${reason}`) };
}

const sameJudges = ({ judges }: CalibrationReport, wanted: readonly JudgeSpec[]): boolean =>
  judges.length === wanted.length && wanted.every((judge, i) => judges[i]?.identity === judgeIdentity(judge));

const askedTheSame = ({ grader }: CalibrationReport, part: JudgedSpec, criterion: Criterion): boolean =>
  grader.kind === part.kind &&
  grader.identity === graderIdentity(criterion.grader) &&
  grader.promptHash === compileQuestion(part).promptHash &&
  !grader.inverted &&
  grader.threshold === (criterion.gate === undefined ? threshold : Math.max(threshold, criterion.gate.atLeast));

/** What makes two reports be about one set of answers and labels. */
const setOf = ({ data, fields }: CalibrationReport): string => canonicalJson({ sha256: data.sha256, ...fields });

function countReasons(report: CalibrationReport, { targets }: Rubric): string[] {
  const reasons: string[] = [];
  const drifted = report.judges.find(({ returnedModels }) => returnedModels.length > 1);
  if (drifted !== undefined) reasons.push(`the provider answered as several models: ${drifted.returnedModels.join(', ')}`);
  if (targets.length === 0) return [...reasons, ...cellReasons(report.total)];
  for (const { model } of targets) {
    const found = report.targets.find(({ target }) => target === model);
    if (found === undefined) reasons.push(`it was calibrated on another target than "${model}"`);
    else reasons.push(...cellReasons(found.cell).map((reason) => `on answers of "${model}": ${reason}`));
  }
  return reasons;
}

/** The floor, and the attacks apart: easy rows in any number would hide that every attack passed. */
function cellReasons(cell: CalibrationCell): string[] {
  const { reasons } = checkFloor(againstTheJudge(cell));
  const negatives = adversarialNegatives(cell);
  if (negatives < leastAdversarial)
    return [...reasons, `it holds ${negatives} answers made to fool the judge that people call no, and ${leastAdversarial} are needed`];
  const passed = againstTheJudge(cell.adversarial).fp;
  const bound = exactUpperBound(passed, negatives, moneyFloor.level);
  if (bound <= mostAdversarial) return reasons;
  const told = `of ${negatives} answers made to fool the judge ${passed} passed or got no verdict; the exact one-sided upper 95 % bound`;
  return [...reasons, `${told} ${bound.toFixed(4)} is above ${mostAdversarial}`];
}
