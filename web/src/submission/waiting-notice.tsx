import type { EvaluationView } from '../../../contracts/api.ts';
import { formatCount } from '../components/format.ts';
import { ProblemAdvice } from '../components/problem-notice.tsx';
import { RelativeTime } from '../components/relative-time.tsx';
import { VisibleText } from '../components/visible-text.tsx';
import type { Live } from '../live/use-live.ts';

/** While nothing moves: who or what is awaited, since when, when the wait ends by itself, and what can be done. */
export function WaitingNotice({ waiting, retry }: { waiting: EvaluationView['waiting']; retry: Live['retry'] }) {
  return (
    <>
      {waiting && (
        <>
          <p>
            <strong>Waiting:</strong> <VisibleText text={waiting.reason.message} />{' '}
            <span className="muted numbers">
              Since <RelativeTime at={waiting.since} />
              {waiting.queuePosition !== null && <>, place {formatCount(waiting.queuePosition)} in the queue</>}
              {waiting.deadlineAt !== null && (
                <>
                  , ends by itself <RelativeTime at={waiting.deadlineAt} />
                </>
              )}
              .
            </span>
          </p>
          <ProblemAdvice problem={waiting.reason} />
        </>
      )}
      {retry && (
        <p className="muted">
          Try {retry.attempt} of {retry.of} failed on the platform's side: <VisibleText text={retry.message} /> It tries again{' '}
          <RelativeTime at={retry.nextAttemptAt} />. This costs you nothing.
        </p>
      )}
    </>
  );
}
