import { NativeSelect, Textarea } from '@mantine/core';
import type { SubmissionForm } from '../../../contracts/rubric.ts';
import type { SubmissionDocument } from '../../../contracts/submission.ts';
import { formatBytes } from '../components/format.ts';
import { utf8Bytes } from './build-document.ts';
import { ChosenFile } from './chosen-file.tsx';
import type { Draft } from './draft.ts';
import { FileField } from './file-field.tsx';
import { errorFor } from './refusal.ts';
import type { FieldsProps } from './submit-form.tsx';

const labels = { javascript: 'JavaScript', python: 'Python' } as const;
const entryFiles = { javascript: 'main.mjs', python: 'main.py' } as const;

export function ProgramFields(props: FieldsProps & { form: Extract<SubmissionForm, { kind: 'program' }> }) {
  const { form, draft, errors, onChange } = props;
  const { archive } = draft;
  return (
    <div className="stack">
      <NativeSelect
        label="Language"
        value={draft.language}
        data={form.languages.map((language) => ({ value: language, label: labels[language] }))}
        error={errorFor(errors, 'language')}
        onChange={(event) => onChange({ language: event.currentTarget.value === 'python' ? 'python' : 'javascript' })}
      />
      {archive === null ? (
        <Textarea
          label="Program"
          description={`One file with the entry point that the overview describes, or a zip, tar or tar.gz with ${entryFiles[draft.language]} at its top. It runs without a network; its only way out is the model gateway.`}
          rows={18}
          className="code-field"
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          value={draft.source}
          error={errorFor(errors, 'source')}
          onChange={(event) => onChange({ source: event.currentTarget.value })}
        />
      ) : (
        <ChosenFile
          name={archive.name}
          about={`${formatBytes(archive.bytes)}, unpacked in a sandbox; its entry file is ${entryFiles[draft.language]}`}
          error={errorFor(errors, 'archive')}
          onRemove={() => onChange({ archive: null })}
        />
      )}
      <div className="field-foot">
        <FileField
          accepted={['program']}
          endings=".js,.mjs,.py,.json,.zip,.tar,.gz,.tgz"
          languages={[draft.language]}
          onRead={(name, bytes, document) => document.kind === 'program' && onChange(chosen(name, bytes, document))}
        />
        <span className="numbers muted">
          {formatBytes(archive?.bytes ?? utf8Bytes(draft.source))} of {formatBytes(form.maxBytes)}
        </span>
      </div>
    </div>
  );
}

function chosen(name: string, bytes: number, document: Extract<SubmissionDocument, { kind: 'program' }>): Partial<Draft> {
  const { language, source, archive } = document;
  if (archive === undefined) return { language, source: source ?? '', archive: null };
  // A JSON document may hold an archive too: then the file is larger than what is in it.
  const inside = Math.floor((archive.replace(/=+$/, '').length * 3) / 4);
  return { language, archive: { name, bytes: Math.min(bytes, inside), base64: archive } };
}
