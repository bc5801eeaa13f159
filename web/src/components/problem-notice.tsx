import { Button } from '@mantine/core';
import type { Problem } from '../../../contracts/api.ts';
import type { FaultOf } from '../../../contracts/status.ts';
import { problemOf } from '../api/client.ts';
import { VisibleText } from './visible-text.tsx';

const faultWords: Record<FaultOf, string> = {
  participant: 'Something in what was sent',
  platform: 'Our fault, not yours',
  target: 'The model under test',
  sponsor: 'The challenge itself',
};

/** Whose fault it is, in words. */
export const faultLabel = (fault: FaultOf): string => faultWords[fault];

/** A failure with whose it is and what to do; with a retry where trying again can help. */
export function ProblemNotice(props: { error: unknown; what: string; onRetry?: () => void }) {
  const problem = problemOf(props.error);
  return (
    <div className="notice notice-bad" role="alert">
      <p>
        <strong>{props.what}</strong> <VisibleText text={problem.detail} />
      </p>
      <ProblemAdvice problem={problem} />
      {props.onRetry && (
        <Button size="compact-sm" variant="default" onClick={props.onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

export function ProblemAdvice({ problem }: { problem: Pick<Problem, 'faultOf' | 'advice'> }) {
  return (
    <p className="muted">
      <span className="tag">{faultLabel(problem.faultOf)}</span> <VisibleText text={problem.advice} />
    </p>
  );
}
