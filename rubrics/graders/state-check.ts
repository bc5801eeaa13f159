import type { GraderSpec } from '../../contracts/graders.ts';
import { gradeError } from './evidence.ts';
import { graded, type Grader } from './grader.ts';
import { compilePredicate } from './predicates.ts';
import { resolveSource } from './sources.ts';

type Spec = Extract<GraderSpec, { kind: 'state-check' }>;

/**
 * 1 when every predicate holds for the end state at `of` (`score: share`: the share of them that do), else 0. No state
 * at all scores 0, even where every predicate says `absent`. The state is whatever the source holds: where a
 * submission writes it itself, it is a claim. Errors: a value to compare with is missing in the case (sponsor).
 */
export function stateCheck(spec: Spec): Grader {
  const checks = spec.checks.map(compilePredicate);
  return (context) => {
    const state = resolveSource(spec.of, context);
    if (state === undefined) return graded(0, { state: null });
    const truths = checks.map((holds) => holds(state, context));
    const missing = truths.indexOf('undecided');
    if (missing >= 0)
      return gradeError(`the case has no value for check ${missing + 1} (at "${spec.checks[missing]?.at}") to compare with`, 'sponsor');
    const held = truths.filter((truth) => truth === true).length;
    const failed = truths.flatMap((truth, i) => (truth === true ? [] : [`${i + 1}: ${spec.checks[i]?.at} ${spec.checks[i]?.is}`]));
    const score = spec.score === 'share' ? held / truths.length : held === truths.length ? 1 : 0;
    return graded(score, { held, checks: truths.length, failed: failed.slice(0, 20) });
  };
}
