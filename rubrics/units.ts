import type { CaseResult } from '../contracts/evaluation.ts';
import type { Case, Rubric, Split } from '../contracts/rubric.ts';

export interface PhaseCase {
  case: Case;
  split: Split;
}

/** All trials of one case. */
export interface Unit extends PhaseCase {
  results: readonly CaseResult[];
}

/**
 * Pairs the cases of a phase with their results, in the cases' order whatever the order of the results. Null unless
 * every case has exactly one result for every trial: a verdict over a part of the cases would be another metric.
 */
export function pairUnits(rubric: Rubric, cases: readonly PhaseCase[], results: readonly CaseResult[]): Unit[] | null {
  const byCase = new Map<string, CaseResult[]>(cases.map(({ case: c }) => [c.id, []]));
  for (const result of results) {
    const trials = byCase.get(result.caseId);
    if (!trials || result.trial >= rubric.trials || trials[result.trial]) return null;
    trials[result.trial] = result;
  }
  const units = cases.map((phaseCase) => ({ ...phaseCase, results: byCase.get(phaseCase.case.id) ?? [] }));
  const complete = results.length === cases.length * rubric.trials && byCase.size === cases.length;
  return complete ? units : null;
}

/** What a metric reads of one run: its weighted score, or one criterion's. */
export type ScoreOf = 'case-score' | { criterion: string };

/** The case's score averaged over its trials; a case that was not answered, or not for this criterion, counts 0. */
export function unitScore(unit: Unit, of: ScoreOf): number {
  return unit.results.reduce((sum, result) => sum + runScore(result, of), 0) / unit.results.length;
}

/** The score of one run; 0 where it was not answered or has no grade of this criterion. */
export function runScore(result: CaseResult, of: ScoreOf): number {
  if (result.end !== 'answered') return 0;
  if (of === 'case-score') return result.score ?? 0;
  return result.grades.find((grade) => grade.criterion === of.criterion)?.score ?? 0;
}
