import type { GraderFailure } from '../evaluation/grader-programs.ts';
import { visible, visibleLines } from './visible.ts';

/** Characters of what a program printed that are shown; its last words say why it ended. */
const shownCharacters = 4_000;

/** What a grader program said when it failed, for whoever writes the rubric. Ends with a line break. */
export function graderFailureText({ path, caseId, message, log }: GraderFailure): string {
  const printed = log.length > shownCharacters ? `…${log.slice(-shownCharacters)}` : log;
  const lines = printed.trimEnd() === '' ? [] : ['it printed:', ...printed.trimEnd().split('\n')];
  const head = `${path} failed on case ${visible(caseId)}: ${visible(message)}`;
  return `${[head, ...lines.map((line) => `  ${visibleLines(line)}`)].join('\n')}\n`;
}
