import type { ReactNode } from 'react';

/** A region that scrolls must take the focus, or it cannot be scrolled without a pointer (WCAG 2.1.1). */
const focusable = { tabIndex: 0 } as const;

/** A named part of the page that scrolls by itself, by pointer and by keyboard. */
export function ScrollRegion(props: { label: string; className: string; children: ReactNode }) {
  return (
    <section className={props.className} aria-label={props.label} {...focusable}>
      {props.children}
    </section>
  );
}
