import { NativeSelect, Textarea } from '@mantine/core';
import type { SubmissionForm } from '../../../contracts/rubric.ts';
import { formatBytes } from '../components/format.ts';
import { utf8Bytes } from './build-document.ts';
import { FileField } from './file-field.tsx';
import { errorFor } from './refusal.ts';
import type { FieldsProps } from './submit-form.tsx';

const labels = { javascript: 'JavaScript', python: 'Python' } as const;

export function ProgramFields(props: FieldsProps & { form: Extract<SubmissionForm, { kind: 'program' }> }) {
  const { form, draft, errors, onChange } = props;
  return (
    <div className="stack">
      <NativeSelect
        label="Language"
        value={draft.language}
        data={form.languages.map((language) => ({ value: language, label: labels[language] }))}
        error={errorFor(errors, 'language')}
        onChange={(event) => onChange({ language: event.currentTarget.value === 'python' ? 'python' : 'javascript' })}
      />
      <Textarea
        label="Program"
        description="One file with the entry point that the overview describes. It runs without a network; its only way out is the model gateway."
        rows={18}
        className="code-field"
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        value={draft.source}
        error={errorFor(errors, 'source')}
        onChange={(event) => onChange({ source: event.currentTarget.value })}
      />
      <div className="field-foot">
        <FileField
          accepted={['program']}
          endings=".js,.mjs,.py,.json"
          onRead={(_name, _bytes, document) =>
            document.kind === 'program' && onChange({ language: document.language, source: document.source })
          }
        />
        <span className="numbers muted">
          {formatBytes(utf8Bytes(draft.source))} of {formatBytes(form.maxBytes)}
        </span>
      </div>
    </div>
  );
}
