import type { Calibration } from '../rubrics/calibration/calibrate.ts';
import type { Measures } from '../rubrics/calibration/confusion.ts';
import { moneyFloor } from '../rubrics/calibration/money-floor.ts';
import type { Estimate, Interval } from '../rubrics/statistics/interval.ts';
import { visible } from './visible.ts';

/** Below this a grader disagrees more than chance would; most often yes and no were mixed up. */
const suspiciousKappa = -0.05;

/** A calibration for people. Every text of others (names of groups, fields, files) is made visible. */
export function calibrationText(result: Calibration): string {
  const { data } = result;
  const left = [
    [data.withoutText, 'without text'],
    [data.unlabelled, 'without label'],
    [data.ungraded, 'not graded'],
    [data.copies, 'copies of earlier rows, which the floor does not count'],
  ] as const;
  const lines = [
    `${result.grader}${result.inverted ? ' (inverted)' : ''} against ${data.file}: ${data.rows} rows, ${result.n} compared` +
      left.map(([count, words]) => (count === 0 ? '' : `, ${count} ${words}`)).join(''),
    ...(result.ungradedBecause === null ? [] : [`  not graded, first of them: ${result.ungradedBecause}`]),
    '',
    `  tp ${result.tp}   fp ${result.fp}   fn ${result.fn}   tn ${result.tn}`,
    ...measureLines(result),
    ...groupLines(result),
    ...agreementLines(result),
    ...auditLines(result),
    '',
    ...floorLines(result),
    ...hintLines(result),
  ];
  return `${lines.map(visible).join('\n')}\n`;
}

const number = (value: number): string => value.toFixed(4);
const span = ({ lower, upper }: Interval): string => `${number(lower)} to ${number(upper)}`;
const row = (name: string, value: number, interval: Interval): string => `  ${name.padEnd(16)}${number(value).padEnd(10)}${span(interval)}`;

function measureLines(result: Measures): string[] {
  const { intervals } = result;
  const kappa = result.kappa === null || intervals.kappa === null ? null : row('Cohen’s κ', result.kappa, intervals.kappa);
  return [
    `  ${''.padEnd(26)}95 % interval`,
    row('accuracy', result.accuracy, intervals.accuracy),
    row('precision', result.precision, intervals.precision),
    row('recall', result.recall, intervals.recall),
    row('F1', result.f1, intervals.f1),
    kappa ?? '  Cohen’s κ       not defined: grader and labels say the same one thing throughout',
  ];
}

function groupLines({ groups }: Calibration): string[] {
  if (groups.length === 0) return [];
  const width = Math.min(40, Math.max(5, ...groups.map(({ group }) => group.length))) + 2;
  const columns = ['n', 'tp', 'fp', 'fn', 'tn', 'accuracy', 'precision', 'recall', 'F1', 'κ', 'floor for money'];
  const line = (name: string, cells: readonly string[]): string =>
    `  ${name.slice(0, 40).padEnd(width)}${cells.map((cell, i) => cell.padEnd(i < 5 ? 8 : 11)).join('')}`.trimEnd();
  return [
    '',
    line('group', columns),
    ...groups.map((one) => {
      const counts = [one.n, one.tp, one.fp, one.fn, one.tn].map(String);
      const shares = [one.accuracy, one.precision, one.recall, one.f1].map(number);
      return line(one.group, [...counts, ...shares, one.kappa === null ? '-' : number(one.kappa), one.moneyFloor.holds ? 'holds' : 'no']);
    }),
  ];
}

function agreementLines({ agreement }: Calibration): string[] {
  if (agreement === null) return [];
  const estimate = (name: string, value: Estimate | null): string =>
    value === null ? `  ${name.padEnd(30)}not defined` : `  ${name.padEnd(30)}${number(value.value).padEnd(10)}${span(value)}`;
  return [
    '',
    `  raters ${agreement.raters.join(', ')}`,
    `  ${'equal pairs'.padEnd(30)}${agreement.rawAgreement === null ? 'none' : number(agreement.rawAgreement)}`,
    estimate('Krippendorff’s α, nominal', agreement.alphaNominal),
    ...(agreement.alphaInterval === null ? [] : [estimate('Krippendorff’s α, interval', agreement.alphaInterval)]),
    ...(agreement.kappa === null ? [] : [estimate('Cohen’s κ of the two', agreement.kappa)]),
  ];
}

function auditLines({ audit }: Calibration): string[] {
  if (audit === null) return [];
  const { estimate, labelsAlone } = audit;
  const width = ({ lower, upper }: Interval): number => upper - lower;
  const saved = 1 - width(estimate) / width(labelsAlone);
  return [
    '',
    `  share of yes among ${audit.rows} rows, from an audit of ${audit.n} labels (seed ${audit.seed})`,
    `  ${'PPI++'.padEnd(16)}${number(estimate.value).padEnd(10)}${span(estimate)}   λ ${number(estimate.lambda)}, ${(100 * saved).toFixed(0)} % narrower`,
    `  ${'labels alone'.padEnd(16)}${number(labelsAlone.value).padEnd(10)}${span(labelsAlone)}`,
    `  ${'grader alone'.padEnd(16)}${number(audit.graderAlone)}`,
    ...(audit.allLabels === null ? [] : [`  ${'all labels'.padEnd(16)}${number(audit.allLabels)}`]),
    ...(audit.n < 30 ? ['  fewer than 30 labels: the interval of PPI++ is too narrow'] : []),
  ];
}

function floorLines({ moneyFloor: floor }: Calibration): string[] {
  const rule = `exact one-sided lower 95 % bound of precision ≥ ${moneyFloor.precision} on ≥ ${moneyFloor.labels} human labels`;
  if (!floor.holds) return [`The floor for money does not hold (${rule}):`, ...floor.reasons.map((reason) => `  ${reason}`)];
  return [
    `The floor for money holds: ${rule}; the bound is ${number(floor.precisionLowerBound)}.`,
    '  Only if people gave these labels and answers made to fool this grader are among them; the file cannot show that.',
  ];
}

function hintLines({ kappa, inverted }: Calibration): string[] {
  if (kappa === null || kappa >= suspiciousKappa) return [];
  const mend = inverted ? 'leave --invert away' : 'give --invert';
  return [`κ is below zero. If the grader’s yes is the label’s no (a refusal grader, labels that say "jailbroken"), ${mend}.`];
}
