import { Textarea } from '@mantine/core';
import type { SubmissionForm } from '../../../contracts/rubric.ts';
import { formatCount } from '../components/format.ts';
import { characters } from './build-document.ts';
import { FileField } from './file-field.tsx';
import { errorFor } from './refusal.ts';
import type { FieldsProps } from './submit-form.tsx';

export function DefenceFields(props: FieldsProps & { form: Extract<SubmissionForm, { kind: 'defence' }> }) {
  const { form, draft, errors, onChange } = props;
  const length = characters(draft.systemPrompt);
  const over = length > form.maxCharacters;
  return (
    <div className="stack">
      <Textarea
        label="System prompt"
        description="Put before the target in every case; the case's own message follows it."
        rows={12}
        value={draft.systemPrompt}
        error={over ? `at most ${formatCount(form.maxCharacters)} characters` : errorFor(errors, 'systemPrompt')}
        onChange={(event) => onChange({ systemPrompt: event.currentTarget.value })}
      />
      <div className="field-foot">
        <FileField
          accepted={['defence']}
          endings=".txt,.md,.json"
          onRead={(_name, _bytes, document) => document.kind === 'defence' && onChange({ systemPrompt: document.systemPrompt })}
        />
        <span className="numbers muted">
          {formatCount(length)} of {formatCount(form.maxCharacters)} characters
        </span>
      </div>
    </div>
  );
}
