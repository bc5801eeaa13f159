import { Progress } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { systemQuery } from '../api/queries.ts';

/** While the shipped samples are judged for the first time, how far that is. */
export function FirstStart() {
  const { data } = useQuery(systemQuery);
  if (!data || data.firstStart.done >= data.firstStart.of) return null;
  const { done, of } = data.firstStart;
  return (
    <section className="notice notice-info first-start" aria-label="First start">
      <p>
        <strong>First start:</strong> judging the sample submissions that ship with the challenges,{' '}
        <span className="numbers">
          {done} of {of}
        </span>{' '}
        done.
      </p>
      <Progress value={(100 * done) / of} aria-label={`${done} of ${of} samples judged`} />
    </section>
  );
}
