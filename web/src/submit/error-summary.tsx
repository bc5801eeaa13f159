import type { Ref } from 'react';
import { ProblemAdvice } from '../components/problem-notice.tsx';
import { VisibleText } from '../components/visible-text.tsx';
import type { Refusal } from './refusal.ts';

/** Everything that keeps a submission from being taken, in one place that takes the focus. */
export function ErrorSummary({ refusal, ref }: { refusal: Refusal | null; ref: Ref<HTMLDivElement> }) {
  if (!refusal) return null;
  return (
    <div ref={ref} className="notice notice-bad" role="alert" tabIndex={-1}>
      <p>
        <strong>Not submitted.</strong> <VisibleText text={refusal.detail} />
      </p>
      {refusal.errors && refusal.errors.length > 0 && (
        <ul>
          {refusal.errors.map(({ path, message }) => (
            <li key={path + message}>
              {path !== '' && (
                <code>
                  <VisibleText text={path} />
                </code>
              )}{' '}
              <VisibleText text={message} />
            </li>
          ))}
        </ul>
      )}
      <ProblemAdvice problem={refusal} />
    </div>
  );
}
