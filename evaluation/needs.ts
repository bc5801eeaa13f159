import { profilesOfLanguage } from '../contracts/program-grader.ts';
import { demandsOf, graderProfiles, type Need, needFor, needOfAll } from '../contracts/queue.ts';
import type { Rubric } from '../contracts/rubric.ts';
import type { Profile } from '../contracts/sandbox.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';

type WithCode = Extract<SubmissionDocument, { kind: 'program' | 'image' }>;

/**
 * The sandbox profile submitted code runs in: `image` for an image; for a program the one it asks for when the rubric
 * offers it, else the first of the rubric's profiles that speaks its language. Where the rubric has bounties or demands
 * gVisor it is never `js`, whoever asks for it. Null when the rubric offers none.
 */
export function profileFor(rubric: Rubric, submission: WithCode): Profile | null {
  const demands = demandsOf(rubric);
  const offered = (rubric.sandbox?.profiles ?? []).filter((profile) => needFor(profile, demands) !== null);
  if (submission.kind === 'image') return offered.includes('image') ? 'image' : null;
  // The profile "js" is one module with nothing to import from.
  const several = submission.archive !== undefined;
  const speaking = offered.filter((profile) => profilesOfLanguage[submission.language].includes(profile) && !(several && profile === 'js'));
  if (submission.profile !== undefined) return speaking.includes(submission.profile) ? submission.profile : null;
  return speaking[0] ?? null;
}

/**
 * What a worker must be able to do to run and grade this submission; `none` when neither submitted code nor a grader
 * program runs. Null: nobody ever can.
 */
export function needOf(rubric: Rubric, document: SubmissionDocument): Need | null {
  const graders = graderProfiles(rubric.criteria, document.kind);
  if (document.kind !== 'program' && document.kind !== 'image') return needOfAll(null, graders, demandsOf(rubric));
  const profile = profileFor(rubric, document);
  return profile === null ? null : needOfAll(profile, graders, demandsOf(rubric));
}
