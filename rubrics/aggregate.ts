import type { CaseResult, CriterionSummary, Grade, Verdict } from '../contracts/evaluation.ts';
import type { PassRule, Rubric } from '../contracts/rubric.ts';
import type { Reason } from '../contracts/status.ts';
import type { SubmissionKind } from '../contracts/submission.ts';
import { appliesTo } from './grade-case.ts';
import { computeMetrics, type MetricValues } from './metrics.ts';
import * as reasons from './reasons.ts';
import { pairUnits, type PhaseCase, type Unit } from './units.ts';

export interface AggregateInput {
  rubric: Rubric;
  /** The cases of the phase. */
  rubricCases: readonly PhaseCase[];
  /** One result per case and trial, in any order. */
  results: readonly CaseResult[];
  kind: SubmissionKind;
  /** Seed of the evaluation; the bootstrap's is derived from it. */
  seed: string;
}

/**
 * Makes the verdict of a phase. Pure: the same results in any order, with the same seed, give the same bytes. What is
 * asked first wins: a platform's fault (`error`, no score) before a broken rule (`invalid`), before a grade that needs
 * a human (`needs_review`), before a program that only ran into limits (`limit`), before the pass rule. A report always
 * needs a human, so it gets no score at all: a number beside it would be read as a verdict. A single case
 * that ended by a limit or a fault of the program scores 0 and the rest counts.
 */
export function aggregate(input: AggregateInput): Verdict {
  const { rubric, rubricCases, results, kind, seed } = input;
  const units = pairUnits(rubric, rubricCases, results);
  const criteria = summarise(rubric, units ?? [], kind);
  if (!units || units.length === 0)
    return unscored('error', reasons.incomplete(rubricCases.length * rubric.trials, results.length), criteria);
  const stopped = errorOf(units) ?? brokenGate(rubric, units, kind) ?? (kind === 'report' ? forPerson : reviewOf(units));
  if (stopped) return unscored(stopped.outcome, stopped.reason, criteria);
  const metrics = computeMetrics(rubric, units, kind, { level: rubric.pass.level, seed });
  const metric = metrics[rubric.score];
  if (!metric) return unscored('error', reasons.noScore(rubric.score, kind), criteria);
  const scored = { score: metric.value, interval: [metric.lower, metric.upper] as [number, number], metrics, criteria };
  const limit = limitOf(units);
  if (limit) return { outcome: 'limit', reason: limit, ...scored };
  const absent = rubric.pass.require?.find((rule) => metrics[rule.metric] === undefined);
  if (absent) return unscored('error', reasons.noScore(absent.metric, kind), criteria);
  const missed = missedRule(rubric, metrics);
  if (missed === undefined) return { outcome: 'pass', reason: null, ...scored };
  return { outcome: 'fail', reason: reasons.belowThreshold(missed, rubric.pass.level), ...scored };
}

/** What of the pass rule is not reached: the score's threshold first, then what is required beside it. */
function missedRule({ score, pass }: Rubric, metrics: MetricValues): PassRule | undefined {
  const rules: PassRule[] = [{ metric: score, atLeast: pass.threshold, bound: pass.bound }, ...(pass.require ?? [])];
  return rules.find(({ metric, atLeast, bound }) => {
    const value = metrics[metric];
    return value === undefined || (bound === 'lower' ? value.lower : value.value) < atLeast;
  });
}

interface Stop {
  outcome: 'error' | 'invalid' | 'needs_review';
  reason: Reason;
}

const forPerson: Stop = { outcome: 'needs_review', reason: reasons.personDecides };

const unscored = (outcome: Stop['outcome'], reason: Reason, criteria: CriterionSummary[]): Verdict => ({
  outcome,
  reason,
  score: null,
  interval: null,
  metrics: {},
  criteria,
});

function errorOf(units: readonly Unit[]): Stop | undefined {
  for (const unit of units) {
    for (const result of unit.results) {
      if (result.end === 'error') return { outcome: 'error', reason: reasons.caseError(unit, result) };
      const grade = result.grades.find(({ status }) => status === 'error');
      if (grade) return { outcome: 'error', reason: reasons.gradeError(unit, grade) };
    }
  }
  return undefined;
}

function brokenGate(rubric: Rubric, units: readonly Unit[], kind: SubmissionKind): Stop | undefined {
  const gates = rubric.criteria.filter((criterion) => criterion.gate?.scope === 'submission' && appliesTo(criterion, kind));
  for (const criterion of gates) {
    const atLeast = criterion.gate?.atLeast ?? 1;
    const below = ({ criterion: name, score }: Grade) => name === criterion.name && score !== null && score < atLeast;
    const unit = units.find(({ results }) => results.some(({ grades }) => grades.some(below)));
    if (unit) return { outcome: 'invalid', reason: reasons.brokenRule(unit, criterion) };
  }
  return undefined;
}

function reviewOf(units: readonly Unit[]): Stop | undefined {
  for (const unit of units) {
    for (const { grades } of unit.results) {
      const grade = grades.find(({ status }) => status === 'needs_review');
      if (grade) return { outcome: 'needs_review', reason: reasons.needsReview(unit, grade) };
    }
  }
  return undefined;
}

/** The reason when every single run ended by a limit; the limit named is the most frequent one. */
function limitOf(units: readonly Unit[]): Reason | undefined {
  const counts = new Map<string, number>();
  for (const { results } of units) {
    for (const result of results) {
      if (result.end !== 'limit') return undefined;
      const limit = result.limit ?? 'unknown';
      counts.set(limit, (counts.get(limit) ?? 0) + 1);
    }
  }
  const [most] = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return most && reasons.onlyLimits(most[0]);
}

/** Mean over the grades that were given: how well the answers did, without the cases that have none. */
function summarise(rubric: Rubric, units: readonly Unit[], kind: SubmissionKind): CriterionSummary[] {
  const grades = units.flatMap((unit) => unit.results.flatMap((result) => result.grades));
  return rubric.criteria
    .filter((criterion) => appliesTo(criterion, kind))
    .map(({ name, title, weight }) => {
      const own = grades.filter((grade) => grade.criterion === name);
      const scores = own.flatMap(({ score }) => (score === null ? [] : [score]));
      return {
        name,
        title,
        weight,
        mean: scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length,
        graded: scores.length,
        errors: own.filter(({ status }) => status === 'error').length,
      };
    });
}
