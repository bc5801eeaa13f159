import { ScrollRegion } from './scroll-region.tsx';
import { VisibleText } from './visible-text.tsx';

/** A text of a stranger, line by line as it is, in a frame that scrolls by pointer and by keyboard. */
export function TextBlock({ label, text }: { label: string; text: string }) {
  return (
    <ScrollRegion className="code-block" label={label}>
      <pre>
        <VisibleText text={text} />
      </pre>
    </ScrollRegion>
  );
}
