import { useEffect, useRef, useState } from 'react';
import type { EvaluationView } from '../../../contracts/api.ts';
import { formatScore } from '../components/format.ts';
import { outcomeWord } from '../components/outcome.tsx';

const gapMs = 5_000;

/** Tells those who listen how far it is: one polite sentence at most every five seconds, not one per row. */
export function Announcer({ evaluation }: { evaluation: EvaluationView }) {
  const [said, setSaid] = useState('');
  const latest = useRef('');
  latest.current = summaryOf(evaluation);
  const ended = evaluation.status === 'done';
  useEffect(() => {
    setSaid(latest.current);
    if (ended) return;
    const timer = setInterval(() => setSaid(latest.current), gapMs);
    return () => clearInterval(timer);
  }, [ended]);
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {said}
    </div>
  );
}

function summaryOf({ status, outcome, score, progress }: EvaluationView): string {
  if (outcome !== null) return `Done: ${outcomeWord(outcome)}${score === null ? '' : `, score ${formatScore(score)}`}.`;
  return progress.of > 0 && status === 'running' ? `Running: ${progress.done} of ${progress.of} cases.` : `Status: ${status}.`;
}
