import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { paths } from '../../../contracts/paths.ts';
import type { Status } from '../../../contracts/status.ts';
import { followEvaluation, type LiveState } from './follow.ts';
import { throttle } from './throttle.ts';

export interface Live {
  state: LiveState;
  /** When each status was first entered, ISO times, as far as the stream told. */
  entered: Partial<Record<Status, string>>;
  /** The last retry of the platform's own faults, if there was one. */
  retry: { attempt: number; of: number; message: string; nextAttemptAt: string } | null;
}

const readGapMs = 500;

/**
 * Follows an evaluation and reads the submission and its cases again when something happened, at most twice a second:
 * the events say that there is something new, the API says what.
 */
export function useLive(submissionId: string, evaluationId: string): Live {
  const client = useQueryClient();
  const [live, setLive] = useState<Live>({ state: 'connecting', entered: {}, retry: null });
  useEffect(() => {
    const reads = throttle(() => {
      void client.invalidateQueries({ queryKey: ['submission', submissionId] });
      void client.invalidateQueries({ queryKey: ['cases', evaluationId] });
    }, readGapMs);
    const stop = followEvaluation(paths.events(evaluationId), {
      onState: (state) => {
        setLive((before) => ({ ...before, state }));
        if (state === 'ended') reads.request();
      },
      onPoll: reads.request,
      onEvent: ({ at, event }) => {
        if (event.kind === 'status' && at !== null)
          setLive((before) => ({ ...before, entered: { [event.status]: at, ...before.entered } }));
        if (event.kind === 'retry') {
          const { attempt, of, nextAttemptAt, reason } = event;
          setLive((before) => ({ ...before, retry: { attempt, of, nextAttemptAt, message: reason.message } }));
        }
        reads.request();
      },
    });
    return () => {
      stop();
      reads.cancel();
    };
  }, [client, submissionId, evaluationId]);
  return live;
}
