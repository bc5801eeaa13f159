import type { GateResult } from '../../contracts/gates.ts';
import type { Rubric } from '../../contracts/rubric.ts';
import { countsInScore, scoreInputs } from '../../rubrics/gates/score-inputs.ts';
import { appliesTo } from '../../rubrics/grade-case.ts';
import { kindOf, type Run } from './context.ts';

const gate = 'graded';

/**
 * Every criterion that counts must have given a score somewhere on an oracle: a grader that errs, or that never meets a
 * case it applies to, would first be seen on a participant. For a kind of submission without an oracle an honest control serves.
 */
export function gradedGate(rubric: Rubric, runs: readonly Run[]): GateResult[] {
  const inputs = scoreInputs(rubric);
  const witnesses = runs.filter((run) => run.role === 'oracle' || run.role === 'honest');
  const failed: GateResult[] = [];
  const counting = rubric.criteria.filter((criterion) => countsInScore(criterion, inputs));
  for (const criterion of counting) {
    const kinds = rubric.submission.map((form) => form.kind).filter((kind) => appliesTo(criterion, kind));
    if (kinds.length === 0) {
      failed.push({
        ...{ gate, ok: false, control: criterion.name, measured: 0 },
        detail: `the criterion is for ${criterion.for?.join(', ')} only, and the rubric takes no such submission`,
        fix: `take "${criterion.name}" out, or mend its "for"`,
      });
      continue;
    }
    const mine = witnesses.filter((run) => appliesTo(criterion, kindOf(run)));
    const grades = mine.flatMap((run) =>
      run.report.cases.flatMap((one) => one.grades.filter((grade) => grade.criterion === criterion.name)),
    );
    if (grades.some((grade) => grade.status === 'graded')) continue;
    failed.push({
      ...{ gate, ok: false, control: criterion.name, measured: 0 },
      detail:
        mine.length === 0
          ? `no oracle and no honest control is a submission of kind ${kinds.join(' or ')}, so nothing shows that this criterion can be graded`
          : `the criterion gave no score on any case of ${mine.map((run) => `"${run.name}"`).join(', ')} (${whyNot(grades)})`,
      fix:
        mine.length === 0
          ? `add a control of kind ${kinds.join(' or ')} with role oracle or honest`
          : `mend the grader of "${criterion.name}" or the cases it reads, until it gives a score to at least one answer of the oracle`,
    });
  }
  if (failed.length > 0) return failed;
  return [{ gate, ok: true, measured: counting.length, detail: 'every criterion that counts gave a score on a right submission', fix: '' }];
}

const whyNot = (grades: readonly { status: string }[]): string =>
  grades.length === 0
    ? 'no case got as far as grading'
    : `all ${grades.length} grades are ${[...new Set(grades.map(({ status }) => status))].join(', ')}`;
