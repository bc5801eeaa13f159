import type { CaseResult, Grade } from '../contracts/evaluation.ts';
import type { Criterion, PassRule } from '../contracts/rubric.ts';
import { FaultOf, type Reason } from '../contracts/status.ts';
import type { Unit } from './units.ts';

/**
 * The reasons a verdict gives. They reach the participant, so they hold nothing a hidden case would not show: its id,
 * its text and exact scores stay out.
 */
const caseName = (unit: Unit): string => (unit.split === 'public' ? `case "${unit.case.id}"` : `a ${unit.split} case`);

const retryAdvice = 'Nothing to do: it is retried, costs no attempt and goes to an operator if it stays.';

export const incomplete = (expected: number, got: number): Reason => ({
  code: 'incomplete_results',
  faultOf: 'platform',
  message: `There must be ${expected} results, one per case and trial, but ${got} came or some do not belong here.`,
  advice: retryAdvice,
});

export const noScore = (metric: string, kind: string): Reason => ({
  code: 'score_not_computable',
  faultOf: 'sponsor',
  message: `The score "${metric}" cannot be computed for submissions of kind "${kind}".`,
  advice: 'The challenge needs a new rubric version; the attempt is returned.',
});

export const caseError = (unit: Unit, result: CaseResult): Reason => ({
  code: 'case_error',
  faultOf: 'platform',
  message: sentence(`Running ${caseName(unit)} failed`, unit, result.message),
  advice: retryAdvice,
});

export function gradeError(unit: Unit, grade: Grade): Reason {
  const faultOf = FaultOf.safeParse(grade.evidence.faultOf);
  const message = typeof grade.evidence.message === 'string' ? grade.evidence.message : null;
  return {
    code: 'grade_error',
    faultOf: faultOf.success ? faultOf.data : 'platform',
    message: sentence(`Criterion "${grade.criterion}" could not be graded on ${caseName(unit)}`, unit, message),
    advice: retryAdvice,
  };
}

export const brokenRule = (unit: Unit, criterion: Criterion): Reason => ({
  code: 'rule_broken',
  faultOf: 'participant',
  message: `The rule "${criterion.name}" (${criterion.title}) is broken on ${caseName(unit)}, so the whole submission is invalid.`,
  advice: 'Change the answer to that case and submit again.',
});

export const needsReview = (unit: Unit, grade: Grade): Reason => ({
  code: 'needs_review',
  faultOf: 'platform',
  message: `Criterion "${grade.criterion}" could not be decided automatically on ${caseName(unit)}.`,
  advice: 'A reviewer will look at it; there is nothing to do until then.',
});

export const personDecides: Reason = {
  code: 'person_decides',
  faultOf: 'platform',
  message: 'A report is decided by a person; what graders say about it is advice.',
  advice: 'A reviewer will look at it; there is nothing to do until then.',
};

export const onlyLimits = (limit: string): Reason => ({
  code: 'limit_exceeded',
  faultOf: 'participant',
  message: `The program exceeded a limit on every case, most often "${limit}".`,
  advice: "Run it on the public cases, see the challenge's limits and make it smaller or faster.",
});

export const belowThreshold = ({ metric, atLeast, bound }: PassRule, level: number): Reason => ({
  code: 'below_threshold',
  faultOf: 'participant',
  message:
    bound === 'lower'
      ? `The lower ${percent(level)} confidence bound of "${metric}" does not reach ${atLeast}.`
      : `"${metric}" does not reach ${atLeast}.`,
  advice: 'Improve the submission and try again.',
});

export const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`;

/** Of a case that is not public only the fact is told, not the fault's text: it may quote the case. */
const sentence = (start: string, unit: Unit, detail: string | null): string =>
  (detail !== null && unit.split === 'public' ? `${start}: ${detail}` : `${start}.`).slice(0, 2000);
