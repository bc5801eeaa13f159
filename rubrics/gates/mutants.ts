import type { CaseResult, Grade } from '../../contracts/evaluation.ts';
import type { Criterion, Rubric } from '../../contracts/rubric.ts';
import type { SubmissionKind } from '../../contracts/submission.ts';
import { appliesTo, caseScore } from '../grade-case.ts';
import { droppableParts, gradeWithoutPart, type PartPath } from './regrade-parts.ts';
import { countsInScore, scoreInputs } from './score-inputs.ts';

/** A rubric with one check less: a whole criterion, or one part of a criterion's combination. */
export interface Mutant {
  criterion: Criterion;
  part: { path: PartPath; name: string } | null;
}

/** Every check that moves the score of something that code decides; what only a person weighs (reports) is no such thing. */
export function mutantsOf(rubric: Rubric): Mutant[] {
  const inputs = scoreInputs(rubric);
  const decided = rubric.submission.map((form) => form.kind).filter((kind) => kind !== 'report');
  return rubric.criteria
    .filter((criterion) => countsInScore(criterion, inputs) && decided.some((kind) => appliesTo(criterion, kind)))
    .flatMap((criterion): Mutant[] => [
      { criterion, part: null },
      ...droppableParts(criterion.grader).map((part) => ({ criterion, part })),
    ]);
}

/** What the mutated rubric makes of grades that are kept. */
export interface Mutated {
  rubric: Rubric;
  results: CaseResult[];
  /** False where nothing of these results differs: the verdict cannot differ either. */
  differs: boolean;
}

/**
 * Grades a submission's kept results as the mutant would. A criterion that is removed loses its gate and its weight in
 * the case score, and counts as met where a metric reads it by name; one that alone has weight counts as met there too,
 * since without any weight there is no score.
 */
export async function mutate(rubric: Rubric, results: readonly CaseResult[], kind: SubmissionKind, mutant: Mutant): Promise<Mutated> {
  const { criterion, part } = mutant;
  const others = rubric.criteria.filter((one) => one.name !== criterion.name && one.weight > 0 && appliesTo(one, kind));
  const { gate: _gate, ...ungated } = criterion;
  const removed: Criterion = { ...ungated, weight: others.length > 0 ? 0 : criterion.weight };
  const criteria = part === null ? rubric.criteria.map((one) => (one.name === criterion.name ? removed : one)) : rubric.criteria;
  const counted = criteria.filter((one) => appliesTo(one, kind));
  let differs = false;
  const regraded: CaseResult[] = [];
  for (const result of results) {
    if (result.end !== 'answered' || !result.grades.some((grade) => grade.criterion === criterion.name)) {
      regraded.push(result);
      continue;
    }
    const grades: Grade[] = [];
    for (const grade of result.grades) grades.push(grade.criterion === criterion.name ? await regrade(grade, mutant) : grade);
    const score = caseScore(counted, grades);
    differs ||=
      score !== result.score ||
      grades.some((grade, i) => grade.score !== result.grades[i]?.score || grade.status !== result.grades[i]?.status);
    regraded.push({ ...result, grades, score });
  }
  return { rubric: { ...rubric, criteria }, results: regraded, differs };
}

async function regrade(grade: Grade, { criterion, part }: Mutant): Promise<Grade> {
  if (part === null) return { ...grade, status: 'graded', score: 1 };
  const without = await gradeWithoutPart(criterion.grader, grade, part.path);
  return without === null ? grade : { ...grade, status: without.status, score: without.score };
}
