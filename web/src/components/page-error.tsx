import type { ErrorComponentProps } from '@tanstack/react-router';
import { ProblemNotice } from './problem-notice.tsx';

/** What is shown when a page throws while it is drawn; also when its code could not be loaded. */
export function PageError({ error, reset }: ErrorComponentProps) {
  return <ProblemNotice error={error} what="This page failed." onRetry={reset} />;
}
