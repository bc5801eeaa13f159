import type { SubmissionDocument } from '../contracts/submission.ts';
import { textsIn } from './gates/public-knowledge.ts';

/** Every text of a submission of answers or prompts, for graders that compare them with each other; undefined for other kinds. */
export function submissionTexts(document: SubmissionDocument): string[] | undefined {
  if (document.kind === 'answers') return Object.values(document.answers).flatMap(textsIn);
  return document.kind === 'prompts' ? Object.values(document.prompts).flat() : undefined;
}
