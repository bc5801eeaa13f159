import { Textarea } from '@mantine/core';
import type { Json } from '../../../contracts/json.ts';
import { VisibleText } from '../components/visible-text.tsx';
import { type AnswerShape, answerShape, exampleOf } from './answer-shape.ts';
import { messageBreak } from './build-document.ts';
import { fieldsOf } from './field-list.ts';
import type { MapForm } from './map-fields.tsx';
import { errorFor } from './refusal.ts';
import type { FieldsProps } from './submit-form.tsx';

const hints: Record<AnswerShape, string> = { text: '', lines: 'One answer per line.', json: 'As JSON.' };

function hintOf(form: MapForm, shape: AnswerShape): string {
  if (form.kind === 'prompts')
    return form.maxMessages > 1 ? `Up to ${form.maxMessages} messages, divided by a line "${messageBreak}".` : '';
  const most = form.schema.maxItems;
  return shape === 'lines' && typeof most === 'number' ? `One answer per line, at most ${most} lines.` : hints[shape];
}

/** A text field for every key of the public cases, with the first case's input above it. */
export function CaseFields({ challenge, form, draft, errors, onChange }: FieldsProps & { form: MapForm }) {
  const shape = form.kind === 'answers' ? answerShape(form.schema) : 'text';
  const hint = hintOf(form, shape);
  return (
    <div className="stack">
      {hint !== '' && <p className="muted">{hint}</p>}
      {fieldsOf(form, challenge.publicCases).map(({ key, input }) => (
        <Textarea
          key={key}
          label={<VisibleText text={key.trimEnd()} />}
          description={inputWords(input, key) === '' ? undefined : <VisibleText text={inputWords(input, key)} />}
          autosize={false}
          rows={shape === 'text' ? 3 : 4}
          spellCheck={false}
          className={shape === 'json' ? 'code-field' : undefined}
          placeholder={form.kind === 'answers' && shape === 'json' ? JSON.stringify(exampleOf(form.schema)) : undefined}
          value={draft.fields[key] ?? ''}
          error={errorFor(errors, `${form.kind}/${key}`)}
          onChange={(event) => onChange({ fields: { ...draft.fields, [key]: event.currentTarget.value } })}
        />
      ))}
    </div>
  );
}

/** A case's input in one short line, without what its key already says. */
function inputWords(input: Json, key: string): string {
  const text = input !== null && typeof input === 'object' && !Array.isArray(input) ? factsOf(input, key) : plain(input);
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

const factsOf = (input: { [key: string]: Json }, key: string): string =>
  Object.entries(input)
    .filter(([, value]) => value !== key)
    .map(([name, value]) => `${name}: ${plain(value)}`)
    .join(' · ');

const plain = (value: Json): string => (value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value));
