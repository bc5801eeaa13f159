import type { Rubric } from '../contracts/rubric.ts';
import type { Profile } from '../contracts/sandbox.ts';
import type { Need } from '../contracts/queue.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';

type Program = Extract<SubmissionDocument, { kind: 'program' }>;

const profilesOf = { javascript: ['js', 'node'], python: ['python'] } as const;

/**
 * The sandbox profile a program runs in: the one it asks for when the rubric offers it, else the first of the rubric's
 * profiles that speaks its language. Null when the rubric offers none.
 */
export function profileFor(rubric: Rubric, program: Program): Profile | null {
  const offered: readonly Profile[] = rubric.sandbox?.profiles ?? [];
  const speaking = offered.filter((profile) => (profilesOf[program.language] as readonly Profile[]).includes(profile));
  if (program.profile !== undefined) return speaking.includes(program.profile) ? program.profile : null;
  return speaking[0] ?? null;
}

/** What a worker must be able to do to run this submission; `none` when no submitted code runs. */
export function needOf(rubric: Rubric, document: SubmissionDocument): Need | null {
  return document.kind === 'program' ? profileFor(rubric, document) : 'none';
}
