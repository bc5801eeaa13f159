import type { ReactNode } from 'react';
import { ScrollRegion } from './scroll-region.tsx';

/**
 * A real table with its caption, in a frame that scrolls sideways on narrow screens and can be scrolled by keyboard.
 * `children` are the `thead` and `tbody`.
 */
export function TableFrame(props: { caption: string; showCaption?: boolean; note?: ReactNode; children: ReactNode }) {
  return (
    <ScrollRegion className="table-frame" label={props.caption}>
      <table className="table">
        <caption className={props.showCaption ? undefined : 'visually-hidden'}>{props.caption}</caption>
        {props.children}
      </table>
      {props.note && <p className="table-note muted">{props.note}</p>}
    </ScrollRegion>
  );
}
