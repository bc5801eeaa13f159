import { TextInput } from '@mantine/core';
import { errorFor } from './refusal.ts';
import type { FieldsProps } from './submit-form.tsx';

export function ImageFields({ draft, errors, onChange }: FieldsProps) {
  return (
    <TextInput
      label="Image"
      description="By digest: registry.example/repository@sha256:…. A tag could move after it was judged. It runs without a network; its only way out is the model gateway."
      maxLength={300}
      spellCheck={false}
      autoCapitalize="off"
      autoComplete="off"
      value={draft.image}
      error={errorFor(errors, 'image')}
      onChange={(event) => onChange({ image: event.currentTarget.value })}
    />
  );
}
