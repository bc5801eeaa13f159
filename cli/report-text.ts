import type { CaseResult, EvaluationReport, MetricValue } from '../contracts/evaluation.ts';
import type { Usage } from '../contracts/target.ts';
import { visible, visibleLines } from './visible.ts';

/** Cases printed in full; the rest is counted. `--json` has them all. */
const shownCases = 40;

/** An evaluation for people: verdict first, then how it came about. */
export function reportText(report: EvaluationReport): string {
  const lines = [
    `${report.challenge} · phase ${report.phase} · ${report.outcome.toUpperCase()}${scoreOf(report)}`,
    ...reasonLines(report),
    ...simulatedLines(report),
    '',
    ...section(['metric', 'value', '95 % interval', 'count'], Object.entries(report.metrics).map(metricRow)),
    ...section(
      ['criterion', 'mean', 'weight', 'graded'],
      report.criteria.map((one) => [one.name, one.mean === null ? '-' : decimal(one.mean), String(one.weight), String(one.graded)]),
    ),
    ...caseTable(report.cases),
    '',
    `${usageText(report.usage)} · ${(report.durationMs / 1000).toFixed(1)} s`,
    ...(report.judging !== undefined && report.judging.calls > 0 ? [`judges: ${usageText(report.judging)}`] : []),
    `rubric ${report.rubricHash.slice(0, 16)} · submission ${report.submissionHash.slice(0, 16)} · seed ${report.seed.slice(0, 16)}`,
  ];
  return `${visibleLines(lines.join('\n'))}\n`;
}

const usageText = ({ calls, inputTokens, outputTokens, costMicros }: Usage): string =>
  `calls ${calls} · tokens ${inputTokens} in, ${outputTokens} out · cost ${Number(costMicros) / 1_000_000} USD`;

function simulatedLines({ targets, judges }: EvaluationReport): string[] {
  const has = (models: readonly { provider: string }[]) => models.some((model) => model.provider === 'simulated');
  return [
    ...(has(targets) ? ['  The target is simulated: this says nothing about a real model.'] : []),
    ...(has(judges) ? ['  A judge is simulated: its grades are no real judgement.'] : []),
  ];
}

/** What a server does about an error (try again, call an operator) nobody does here. */
function reasonLines({ reason, outcome }: EvaluationReport): string[] {
  if (reason === null) return [];
  const advice = outcome === 'error' ? 'Nothing was judged. Mend what is named above and run it again.' : reason.advice;
  return [`  ${reason.message}`, `  whose fault: ${reason.faultOf}. ${advice}`];
}

function scoreOf(report: EvaluationReport): string {
  if (report.score === null) return '';
  const interval = report.interval === null ? '' : ` [${decimal(report.interval[0])}, ${decimal(report.interval[1])}]`;
  return ` · score ${decimal(report.score)}${interval}`;
}

const metricRow = ([name, metric]: [string, MetricValue]): string[] => [
  name,
  decimal(metric.value),
  `${decimal(metric.lower)} – ${decimal(metric.upper)}`,
  metric.denominator === undefined ? '' : `${metric.numerator}/${metric.denominator}`,
];

function caseTable(cases: readonly CaseResult[]): string[] {
  if (cases.length === 0) return ['no cases to show'];
  const rows = cases
    .slice(0, shownCases)
    .map((one) => [
      one.caseId,
      one.split,
      one.end === 'limit' ? `limit: ${one.limit}` : one.end,
      one.score === null ? '-' : decimal(one.score),
      (one.message ?? '').slice(0, 80),
    ]);
  const rest = cases.length - rows.length;
  return [...table(['case', 'split', 'end', 'score', ''], rows), ...(rest > 0 ? [`… and ${rest} more (--json shows all)`] : [])];
}

/** Four decimals; tiny values keep their exponent, because 1e-78 is not 0. */
export const decimal = (value: number): string =>
  value === 0 || Math.abs(value) >= 1e-4 ? Number(value.toFixed(4)).toString() : value.toExponential(2);

/** A table with an empty line after it; nothing at all without rows. */
const section = (head: string[], rows: string[][]): string[] => (rows.length === 0 ? [] : [...table(head, rows), '']);

function table(head: string[], rows: string[][]): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map((cells) => line(cells.map(visible)))];
}
