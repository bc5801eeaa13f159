import type { ChangedCase, RegradingItem, RegradingView, VerdictSide } from '../contracts/regrading.ts';
import { visibleLines } from './visible.ts';

/** One line of a list of previews. */
export const regradingLine = (view: RegradingView): string =>
  visibleLines(`${view.id}  ${view.status.padEnd(9)}  ${view.createdAt}  ${summary(view)}  ${view.reason}`).concat('\n');

/** A preview for people: what happens to each evaluation first, then the sums. */
export function regradingText(view: RegradingView, items: readonly RegradingItem[]): string {
  const { totals, judging } = view;
  const lines = [
    `${view.challenge} · graded again by version ${view.toRubricHash.slice(0, 16)} · ${view.status}`,
    `  ${view.reason}`,
    '',
    ...items.flatMap(itemLines),
    '',
    summary(view),
    ...(judging.calls > 0 ? [`judges were asked ${judging.calls} times, for ${Number(judging.costMicros) / 1_000_000} USD`] : []),
    ...(view.status === 'applied' ? [`applied at ${view.appliedAt}: ${totals.applied}`] : []),
    ...(totals.stale > 0 ? [`${totals.stale} have another verdict by now: preview them again`] : []),
    ...(view.current ? [] : ['new submissions are still judged by another version, and the standing is that version’s']),
    ...(view.status === 'applied' ? [] : ['', `nothing has changed yet; to apply it: npx collective regrade apply ${view.id}`]),
  ];
  return `${visibleLines(lines.join('\n'))}\n`;
}

function summary({ totals }: RegradingView): string {
  const { evaluations, changed, passToFail, failToPass, changedCases, refused } = totals;
  return (
    `${evaluations} evaluations: ${changed} change, pass to fail ${passToFail}, fail to pass ${failToPass}, ` +
    `${changedCases} cases with other grades${refused > 0 ? `, ${refused} cannot be graded again` : ''}`
  );
}

function itemLines(item: RegradingItem): string[] {
  const head = `${item.evaluationId}  ${item.state}  ${item.title} (${item.participant}), phase ${item.phase}`;
  if (item.to === null) {
    const { problem } = item;
    return [head, ...(problem === null ? [] : [`  ${problem.message}`, `  whose fault: ${problem.faultOf}. ${problem.advice}`])];
  }
  return [
    head,
    `  ${sideText(item.from)} → ${sideText(item.to)}`,
    ...item.criteria.filter((one) => one.from !== one.to).map((one) => `  ${one.name}: ${decimal(one.from)} → ${decimal(one.to)}`),
    `  ${item.changedCases} of ${item.cases} cases have other grades`,
    ...item.changed.map(caseLine),
    ...(item.changed.length < item.changedCases ? [`    and ${item.changedCases - item.changed.length} more`] : []),
  ];
}

function caseLine({ caseId, split, trial, from, to, criteria }: ChangedCase): string {
  const changed = criteria.filter((one) => one.from?.score !== one.to?.score || one.from?.status !== one.to?.status);
  const grades = changed.map((one) => `${one.criterion} ${gradeText(one.from)} → ${gradeText(one.to)}`).join(', ');
  return `    ${split} ${caseId} (trial ${trial}): ${decimal(from)} → ${decimal(to)}; ${grades}`;
}

const gradeText = (grade: ChangedCase['criteria'][number]['from']): string =>
  grade === null ? '-' : grade.status === 'graded' ? decimal(grade.score) : grade.status;

const sideText = ({ outcome, score, interval }: VerdictSide): string =>
  [outcome, ...(score === null ? [] : [decimal(score)]), ...(interval === null ? [] : [`[${interval.map(decimal).join(', ')}]`])].join(' ');

const decimal = (value: number | null): string => (value === null ? '-' : String(Number(value.toFixed(4))));
