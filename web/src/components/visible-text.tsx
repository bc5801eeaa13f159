import { Button } from '@mantine/core';
import { useState } from 'react';
import { splitVisible } from './visible-runs.ts';

const shownAtFirst = 20_000;

/**
 * Text that a stranger wrote, as text nodes. Control, bidirectional and invisible characters are shown by their code
 * point: they can hide an instruction from the reader, or turn a line round so that it reads as something else.
 */
export function VisibleText({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  const shown = all || text.length <= shownAtFirst ? text : text.slice(0, shownAtFirst);
  return (
    <>
      {splitVisible(shown).map((run) =>
        run.kind === 'text' ? (
          run.text
        ) : (
          <span key={run.at} className="code-point" title={run.title}>
            {run.label}
          </span>
        ),
      )}
      {shown.length < text.length && (
        <Button size="compact-xs" variant="default" onClick={() => setAll(true)}>
          Show the other {(text.length - shown.length).toLocaleString('en')} characters
        </Button>
      )}
    </>
  );
}
