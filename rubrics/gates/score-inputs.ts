import { metricInputs, type MetricSpec } from '../../contracts/metrics.ts';
import type { Criterion, Rubric } from '../../contracts/rubric.ts';

/** What score and pass rule are made of, through all metrics below them. */
export interface ScoreInputs {
  /** Criteria that a metric reads by name. */
  named: ReadonlySet<string>;
  /** Whether the weighted case score is read anywhere. */
  readsCaseScore: boolean;
}

export function scoreInputs(rubric: Pick<Rubric, 'metrics' | 'score' | 'pass'>): ScoreInputs {
  const named = new Set<string>();
  let readsCaseScore = false;
  const visited = new Set<string>();
  const visit = (name: string): void => {
    const metric = rubric.metrics.find((one) => one.name === name);
    // Once each: along every path, a chain of products that name the one before twice would be 2^31 visits.
    if (metric === undefined || visited.has(name)) return;
    visited.add(name);
    const inputs = metricInputs(metric);
    for (const criterion of inputs.criteria) named.add(criterion);
    readsCaseScore ||= isOfCaseScore(metric);
    // Metrics only read earlier ones (checkReferences), so this ends.
    for (const inner of inputs.metrics) visit(inner);
  };
  visit(rubric.score);
  for (const { metric } of rubric.pass.require ?? []) visit(metric);
  return { named, readsCaseScore };
}

const isOfCaseScore = (metric: MetricSpec): boolean => 'of' in metric && metric.of === 'case-score';

/** Does the criterion move the score: by its weight, by name, or as a gate? A weight alone does not, where nothing reads the case score. */
export function countsInScore(criterion: Criterion, inputs: ScoreInputs): boolean {
  return criterion.gate !== undefined || inputs.named.has(criterion.name) || (inputs.readsCaseScore && criterion.weight > 0);
}
