import type { Grade } from '../contracts/evaluation.ts';
import type { Criterion } from '../contracts/rubric.ts';
import type { SubmissionKind } from '../contracts/submission.ts';
import { compileGrader } from './graders/compile.ts';
import type { Grader, GradingContext } from './graders/grader.ts';
import { runGrader } from './graders/parts.ts';
import type { LoadedRubric } from './rubric.ts';

export interface CompiledCriterion {
  criterion: Criterion;
  grader: Grader;
}

/** Compiles every criterion's grader once; the result serves all cases and kinds of submission. */
export function compileCriteria(rubric: LoadedRubric): CompiledCriterion[] {
  return rubric.rubric.criteria.map((criterion) => ({ criterion, grader: compileGrader(criterion.grader, (path) => rubric.text(path)) }));
}

/** Does this criterion count for this kind of submission? */
export const appliesTo = (criterion: Criterion, kind: SubmissionKind): boolean => criterion.for?.includes(kind) ?? true;

/**
 * Grades one answered case by every criterion that applies to the kind of submission, one after another in the
 * rubric's order. The score is the weighted mean after gates; null when a grade that counts could not be given. An
 * exception in a grader is a bug of ours: its grade is an `error`, never a fail.
 */
export async function gradeCase(
  criteria: readonly CompiledCriterion[],
  context: GradingContext,
  kind: SubmissionKind,
): Promise<{ grades: Grade[]; score: number | null }> {
  const counted = criteria.filter(({ criterion }) => appliesTo(criterion, kind));
  const grades: Grade[] = [];
  for (const { criterion, grader } of counted) {
    grades.push({ criterion: criterion.name, grader: criterion.grader.kind, ...(await runGrader(grader, context)) });
  }
  return {
    grades,
    score: caseScore(
      counted.map(({ criterion }) => criterion),
      grades,
    ),
  };
}

/** `grades` are those of `criteria`, in the same order. A gate that is not reached makes the whole case 0. */
export function caseScore(criteria: readonly Criterion[], grades: readonly Grade[]): number | null {
  let weights = 0;
  let sum = 0;
  let open = true;
  for (const [i, { weight, gate }] of criteria.entries()) {
    const score = grades[i]?.score ?? null;
    if (weight === 0 && !gate) continue;
    if (score === null) return null;
    if (gate && score < gate.atLeast) open = false;
    weights += weight;
    sum += weight * score;
  }
  if (!open || weights === 0) return 0;
  // Sums of weights may leave 1.0000000000000002.
  return Math.min(1, sum / weights);
}
