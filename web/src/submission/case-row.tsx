import { memo } from 'react';
import type { CaseView } from '../../../contracts/api.ts';
import type { Grade } from '../../../contracts/evaluation.ts';
import { formatDuration, formatScore } from '../components/format.ts';
import { VisibleText } from '../components/visible-text.tsx';
import { caseEnd } from './case-end.ts';

interface Props {
  row: CaseView;
  criteria: readonly string[];
  trials: boolean;
  onOpen: (at: { caseId: string; trial: number }) => void;
}

/** One case. Its first cell is a button, so that Enter opens it; a click anywhere on the row does the same. */
export const CaseRow = memo(
  function CaseRow({ row, criteria, trials, onOpen }: Props) {
    const end = caseEnd(row);
    const open = () => onOpen({ caseId: row.caseId, trial: row.trial });
    return (
      <tr className="case-row" onPointerUp={(event) => event.button === 0 && !hasSelection() && open()}>
        <th scope="row">
          <button type="button" className="link-button case-key" onClick={(event) => event.detail === 0 && open()}>
            <VisibleText text={row.key.length > 80 ? `${row.key.slice(0, 80)}…` : row.key} />
          </button>
        </th>
        {trials && <td className="right numbers">{row.trial}</td>}
        <td className="nowrap">
          <span className={`outcome outcome-${end.tone}`} title={row.message ?? undefined}>
            <span aria-hidden="true">{end.icon}</span> {end.word}
          </span>
        </td>
        <td className="right numbers">{row.score === null ? '–' : formatScore(row.score)}</td>
        {criteria.map((name) => (
          <td key={name} className="right numbers">
            {gradeWord(row.grades.find((grade) => grade.criterion === name))}
          </td>
        ))}
        <td className="right numbers nowrap">{formatDuration(row.wallMs)}</td>
      </tr>
    );
  },
  // A read brings new objects for rows that did not change; a judged case never changes, only more of them come.
  (before, after) =>
    before.row.caseId === after.row.caseId &&
    before.row.score === after.row.score &&
    before.row.end === after.row.end &&
    before.criteria.length === after.criteria.length &&
    before.trials === after.trials,
);

function gradeWord(grade: Grade | undefined): string {
  if (!grade) return '';
  if (grade.status === 'graded') return grade.score === null ? '–' : formatScore(grade.score);
  return grade.status === 'error' ? 'error' : 'review';
}

/** Selecting text in a row must not open it. */
const hasSelection = (): boolean => (window.getSelection()?.toString() ?? '') !== '';
