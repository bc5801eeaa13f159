import type { Json } from '../../contracts/json.ts';
import type { Source } from '../../contracts/sources.ts';
import { graded, type GradeResult, type Grader, type GradingContext } from './grader.ts';
import { type Part, partsEvidence, runParts, undecided } from './parts.ts';
import { resolveSource, sourceHead } from './sources.ts';

/** A part's score, as 1 or 0 where there is a threshold; null when it has none. */
const scoreOf = (result: GradeResult, atLeast: number | undefined): number | null => {
  if (result.status !== 'graded' || result.score === null) return null;
  return atLeast === undefined ? result.score : result.score >= atLeast ? 1 : 0;
};

const isEmpty = ({ evidence }: GradeResult): boolean => evidence.empty === true;

/** A combination with an empty part is empty itself, so that no `not` further out pays for it either. */
const evidenceOf = (parts: readonly Part[], results: readonly GradeResult[]): GradeResult['evidence'] => ({
  parts: partsEvidence(parts, results),
  ...(results.some(isEmpty) && { empty: true }),
});

/**
 * `all` is the lowest score of the parts, `any` the highest (Zadeh's and/or: on 0 and 1 they are the boolean ones).
 * A part without a score leaves them undecided, unless the others decide whatever it would have said: one 0 for `all`,
 * one 1 for `any` (Kleene's strong three-valued logic). Undecided is `error` or `needs_review`, never a score.
 */
export const all = (parts: readonly Part[], atLeast?: number): Grader => extreme(parts, atLeast, 0, Math.min);
export const any = (parts: readonly Part[], atLeast?: number): Grader => extreme(parts, atLeast, 1, Math.max);

function extreme(parts: readonly Part[], atLeast: number | undefined, decides: 0 | 1, pick: (...scores: number[]) => number): Grader {
  return async (context) => {
    const results = await runParts(parts, context);
    const scores = results.map((result) => scoreOf(result, atLeast));
    const known = scores.filter((score) => score !== null);
    if (known.length < scores.length && !known.includes(decides)) return undecided(parts, results);
    return graded(pick(...known), evidenceOf(parts, results));
  };
}

/**
 * 1 - score; undecided where the part is. A part that was `empty` (a judge had no text, or all that it reads of the
 * submission is blank) stays 0: the absence of an answer is worth nothing whichever way the question points, or a blank
 * text would be the best one. `reads` are the sources the part looks at. A rubric that wants silence to count says so
 * with `regex` and `atMost: 0`, or with `equals`.
 */
export function not(part: Part, atLeast?: number, reads: readonly Source[] = []): Grader {
  return async (context) => {
    const given = await runParts([part], context);
    // Written into the part's own evidence: whoever combines the stored parts again comes to the same.
    const results = isBlank(reads, context) ? given.map((one) => ({ ...one, evidence: { ...one.evidence, empty: true } })) : given;
    const score = results[0] ? scoreOf(results[0], atLeast) : null;
    return score === null ? undecided([part], results) : graded(results.some(isEmpty) ? 0 : 1 - score, evidenceOf([part], results));
  };
}

/**
 * Does the submission give nothing to look at: an answer that is missing, null, blank or a list of such, and no reply at
 * all? A blank reply is one: the target gave it, not the submission.
 */
function isBlank(reads: readonly Source[], context: GradingContext): boolean {
  const given = reads.filter((source) => ['answer', 'replies', 'last-reply'].includes(sourceHead(source)));
  const isNothing = (source: Source) => {
    const value = resolveSource(source, context);
    if (sourceHead(source) === 'answer') return isBlankValue(value);
    return value === undefined || (Array.isArray(value) && value.length === 0);
  };
  return given.length > 0 && given.every(isNothing);
}

const isBlankValue = (value: Json | undefined): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === 'string' && value.trim() === '') ||
  (Array.isArray(value) && value.every(isBlankValue));

/** Σ weight·score / Σ weight; undecided as soon as one part is, since every part changes the mean. */
export function weighted(parts: readonly (Part & { weight: number })[]): Grader {
  return async (context) => {
    const results = await runParts(parts, context);
    let sum = 0;
    let weights = 0;
    for (const [i, { weight }] of parts.entries()) {
      const score = results[i] ? scoreOf(results[i], undefined) : null;
      if (score === null) return undecided(parts, results);
      sum += weight * score;
      weights += weight;
    }
    // Sums of weights may leave 1.0000000000000002.
    return graded(Math.min(1, sum / weights), evidenceOf(parts, results));
  };
}
