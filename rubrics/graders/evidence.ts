import type { FaultOf } from '../../contracts/status.ts';
import type { GradeResult } from './grader.ts';

const maxCharacters = 200;

/**
 * A text made fit for evidence: short, and without what a database refuses to store (NUL, halves of surrogate pairs);
 * otherwise a submission could turn its own grade into a platform fault.
 */
export const clip = (text: string): string => clipTo(text, maxCharacters);

/** As `clip`, for the few texts that may be longer. */
export function clipTo(text: string, most: number): string {
  const whole = text
    .slice(0, most * 2)
    .toWellFormed()
    .replaceAll('\0', '\uFFFD');
  const characters = Array.from(whole);
  return characters.length <= most && text.length <= most * 2 ? whole : `${characters.slice(0, most).join('')}…`;
}

/** A grade that could not be given. `faultOf` decides what the participant is told; it never counts as a fail. */
export const gradeError = (message: string, faultOf: FaultOf): GradeResult => ({
  status: 'error',
  score: null,
  evidence: { message: clip(message), faultOf },
});

/** A grader found nothing to compare with: the rubric's own data is incomplete. */
export const noReference = (source: string): GradeResult => gradeError(`the case has no text at "${source}" to compare with`, 'sponsor');
