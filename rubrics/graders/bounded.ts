import { gradeError } from './evidence.ts';
import type { GradeResult } from './grader.ts';

/** Far above any reply (200,000 tokens are about a million characters), far below what would hold up a worker. */
export const largestText = 4_000_000;
const mostTexts = 10_000;

/**
 * An error when texts are too large or too many to be graded in bounded time, else undefined. Never a score: cut
 * silently, a text could carry at its end what the grader looks for. Sizes are in UTF-16 units, all texts together.
 */
export function tooLarge(texts: readonly string[], most: number = largestText): GradeResult | undefined {
  if (texts.length > mostTexts) return gradeError(`there are ${texts.length} texts, at most ${mostTexts} can be graded`, 'participant');
  const size = texts.reduce((sum, text) => sum + text.length, 0);
  if (size <= most) return undefined;
  return gradeError(`the graded text has ${size} characters, at most ${most} can be graded`, 'participant');
}
