import type { Json } from '../../contracts/json.ts';
import { clip, gradeError } from './evidence.ts';
import type { GradeResult, Grader, GradingContext } from './grader.ts';

/** A grader inside another one. */
export interface Part {
  kind: string;
  grader: Grader;
}

/** Runs all parts one after another, also where the first decides: a reviewer sees each one's evidence. */
export async function runParts(parts: readonly Part[], context: GradingContext): Promise<GradeResult[]> {
  const results: GradeResult[] = [];
  for (const { grader } of parts) results.push(await runGrader(grader, context));
  return results;
}

/** Runs one grader. An exception in it, or a score outside 0..1, is a bug of ours: an `error`, never a fail. */
export async function runGrader(grader: Grader, context: GradingContext): Promise<GradeResult> {
  let result: GradeResult;
  try {
    result = await grader(context);
  } catch (error) {
    return gradeError(`the grader failed: ${error instanceof Error ? error.message : 'unknown'}`, 'platform');
  }
  if (result.status !== 'graded') return { ...result, score: null };
  const { score } = result;
  return score !== null && score >= 0 && score <= 1 ? result : gradeError(`the grader gave the score ${score}`, 'platform');
}

/** The parts as evidence of the whole. */
export const partsEvidence = (parts: readonly Part[], results: readonly GradeResult[]): Json =>
  results.map(({ status, score, evidence }, i) => ({ grader: parts[i]?.kind ?? '', status, score, evidence }));

/**
 * What a combination is that its parts do not decide: an `error` when one of them is, else `needs_review`. The first
 * such part's reason speaks for the whole.
 */
export function undecided(parts: readonly Part[], results: readonly GradeResult[]): GradeResult {
  const failed = results.find(({ status }) => status === 'error') ?? results.find(({ status }) => status !== 'graded');
  const at = failed ? results.indexOf(failed) : -1;
  const why = typeof failed?.evidence.message === 'string' ? failed.evidence.message : 'no reason given';
  const fault = failed?.evidence.faultOf;
  return {
    status: failed?.status === 'needs_review' ? 'needs_review' : 'error',
    score: null,
    evidence: {
      message: clip(`part ${at + 1} ("${parts[at]?.kind ?? ''}") gave no score: ${why}`),
      faultOf: typeof fault === 'string' ? fault : 'platform',
      parts: partsEvidence(parts, results),
    },
  };
}
