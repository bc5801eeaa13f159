import { everyGrader } from '../../contracts/graders.ts';
import type { Rubric } from '../../contracts/rubric.ts';
import type { SubmissionKind } from '../../contracts/submission.ts';

/** Graders that ask a model or run code. */
const asking: ReadonlySet<string> = new Set(['reasr', 'judge', 'jury', 'program']);

/** Can anything differ between two runs with different seeds? Answers that no model, secret, code or judge touches cannot. */
export function drawsFromSeed(rubric: Rubric, kind: SubmissionKind): boolean {
  const isRun = kind !== 'answers' && kind !== 'report';
  const isAsked = rubric.criteria.some((criterion) => everyGrader(criterion.grader).some(({ grader }) => asking.has(grader.kind)));
  return isRun || isAsked || rubric.secrets.length > 0;
}
