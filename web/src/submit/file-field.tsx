import { Button } from '@mantine/core';
import { useId, useRef, useState } from 'react';
import type { Language } from '../../../contracts/sandbox.ts';
import { readSubmissionFile } from '../../../contracts/submission-file.ts';
import type { SubmissionDocument, SubmissionKind } from '../../../contracts/submission.ts';
import { VisibleText } from '../components/visible-text.tsx';

interface Props {
  accepted: readonly SubmissionKind[];
  /** Endings the browser's file dialog offers; the content is checked whatever it is called. */
  endings: string;
  /** What an archive is written in: nobody looks into it to find out. */
  languages?: readonly Language[];
  onRead: (name: string, bytes: number, document: SubmissionDocument) => void;
}

/** Reads a file on this machine with the server's own reader, so that what is refused there is refused before it is sent. */
export function FileField({ accepted, endings, languages, onRead }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const id = useId();
  const take = async (file: File) => {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const read = readSubmissionFile(file.name, bytes, accepted, languages);
    if (!read.ok) return setProblem(read.problem + read.errors.map(({ path, message }) => `; ${path}: ${message}`).join(''));
    if (!accepted.includes(read.document.kind))
      return setProblem(`the file holds a "${read.document.kind}" submission, which is not accepted here`);
    setProblem(null);
    onRead(file.name, bytes.byteLength, read.document);
  };
  return (
    <span className="file-field">
      <Button variant="default" size="xs" onClick={() => input.current?.click()} aria-describedby={problem ? id : undefined}>
        Choose a file…
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        accept={endings}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file) take(file).catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)));
        }}
      />
      {problem !== null && (
        <span id={id} role="alert" className="field-error">
          <VisibleText text={`Not read: ${problem}.`} />
        </span>
      )}
    </span>
  );
}
