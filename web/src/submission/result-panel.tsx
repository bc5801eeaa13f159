import { Progress } from '@mantine/core';
import type { EvaluationView } from '../../../contracts/api.ts';
import { paths } from '../../../contracts/paths.ts';
import type { Status } from '../../../contracts/status.ts';
import { formatInterval, formatScore } from '../components/format.ts';
import { IntervalBar, sharedAxis } from '../components/interval-bar.tsx';
import { OutcomeMark, outcomeMeaning } from '../components/outcome.tsx';
import { faultLabel } from '../components/problem-notice.tsx';
import { RelativeTime } from '../components/relative-time.tsx';
import { VisibleText } from '../components/visible-text.tsx';
import type { Live } from '../live/use-live.ts';
import { WaitingNotice } from './waiting-notice.tsx';

const costs: Record<EvaluationView['attemptCost'], string> = {
  open: 'not decided yet',
  spent: 'spent',
  returned: 'returned: it costs you nothing',
};

/** What goes on in a stage when nothing holds it up. */
const stageWords: Record<Status, string> = {
  received: 'Waits for a worker to take it; the status page shows which are alive.',
  screening: 'Its shape and size are checked.',
  queued: 'Waits for a free worker that can run it.',
  running: 'A score is shown when all cases are judged, with its interval.',
  grading: 'The graders decide.',
  verifying: 'The result is checked and sealed.',
  parked: 'Waits for an operator; the attempt costs nothing if it cannot go on.',
  done: '',
};

/** The outcome in words with its score; while it runs, how far it is, in the same space. */
export function ResultPanel({ evaluation, retry }: { evaluation: EvaluationView; retry: Live['retry'] }) {
  return (
    <section className="panel result" aria-label="Result">
      {evaluation.outcome === null ? <Running evaluation={evaluation} retry={retry} /> : <Ended evaluation={evaluation} />}
    </section>
  );
}

function Running({ evaluation, retry }: { evaluation: EvaluationView; retry: Live['retry'] }) {
  const { done, of } = evaluation.progress;
  return (
    <>
      <div className="result-line">
        <strong className="result-score muted">No result yet</strong>
        <span className="numbers">
          {done} of {of} cases
        </span>
      </div>
      <Progress value={of === 0 ? 0 : (100 * done) / of} aria-label={`${done} of ${of} cases judged`} />
      {evaluation.waiting || retry ? (
        <WaitingNotice waiting={evaluation.waiting} retry={retry} />
      ) : (
        <p className="muted">{stageWords[evaluation.status]}</p>
      )}
    </>
  );
}

/** That the verdict is not the run's own any more, why, and what it was. */
function GradedAgain({ id, regraded }: { id: string; regraded: NonNullable<EvaluationView['regraded']> }) {
  const { from, at, reason, verdicts } = regraded;
  return (
    <p>
      Graded again <RelativeTime at={at} />, without running it: <VisibleText text={reason} /> Before: {from.outcome}
      {from.score !== null && `, score ${formatScore(from.score)}`}, by rubric version <code>{from.rubricHash.slice(0, 16)}</code> (
      <a href={`${paths.cases(id)}?verdict=${verdicts - 1}`}>its grades</a>).
    </p>
  );
}

function Ended({ evaluation }: { evaluation: EvaluationView }) {
  const { outcome, reason, score, interval, rounded, attemptCost } = evaluation;
  if (outcome === null) return null;
  const axis = sharedAxis([...(score === null ? [] : [score]), ...(interval ?? [])]);
  return (
    <>
      <div className="result-line">
        <OutcomeMark outcome={outcome} />
        {score !== null && <strong className="result-score numbers">{formatScore(score)}</strong>}
        {score !== null && (
          <span className="result-bar">
            <IntervalBar score={score} interval={interval} axis={axis} />
          </span>
        )}
        {interval && <span className="muted numbers">interval {formatInterval(interval)}</span>}
      </div>
      <p>{reason ? <VisibleText text={reason.message} /> : outcomeMeaning(outcome)}</p>
      {reason && (
        <p className="muted">
          {/* Waiting for a person is nobody's fault. */}
          {outcome !== 'needs_review' && <span className="tag">{faultLabel(reason.faultOf)}</span>} <VisibleText text={reason.advice} />
        </p>
      )}
      {evaluation.regraded && <GradedAgain id={evaluation.id} regraded={evaluation.regraded} />}
      <p className="muted">
        Attempt: {costs[attemptCost]}.
        {rounded && score !== null && ' Hidden cases are in this score: it is rounded and has no part per case.'}
      </p>
    </>
  );
}
