import type { ReactNode } from 'react';

/** Nothing to show: one line of why, one action. */
export function Empty({ why, children }: { why: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p>{why}</p>
      {children}
    </div>
  );
}
