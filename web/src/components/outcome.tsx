import type { Outcome } from '../../../contracts/status.ts';

const outcomes: Record<Outcome, { icon: string; word: string; tone: string; meaning: string }> = {
  pass: { icon: '✓', word: 'passed', tone: 'good', meaning: 'The score reached the threshold.' },
  fail: { icon: '✗', word: 'not passed', tone: 'plain', meaning: 'It was judged and the score is below the threshold.' },
  needs_review: { icon: '?', word: 'needs review', tone: 'warn', meaning: 'A person has to look: the graders could not decide alone.' },
  invalid: { icon: '!', word: 'invalid', tone: 'bad', meaning: 'The submission breaks a rule of the challenge.' },
  limit: { icon: '◔', word: 'limit reached', tone: 'bad', meaning: 'The submission used more than it was given.' },
  cancelled: { icon: '–', word: 'cancelled', tone: 'plain', meaning: 'It was cancelled before it was judged.' },
  error: { icon: '⚠', word: 'platform error', tone: 'warn', meaning: 'The platform failed; this says nothing about the submission.' },
};

export const outcomeWord = (outcome: Outcome): string => outcomes[outcome].word;
export const outcomeMeaning = (outcome: Outcome): string => outcomes[outcome].meaning;

/** How an evaluation ended: icon and word, so that it never hangs on a colour. */
export function OutcomeMark({ outcome }: { outcome: Outcome }) {
  const { icon, word, tone, meaning } = outcomes[outcome];
  return (
    <span className={`outcome outcome-${tone}`} title={meaning}>
      <span aria-hidden="true">{icon}</span> {word}
    </span>
  );
}
