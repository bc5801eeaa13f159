import { SegmentedControl, Textarea } from '@mantine/core';
import type { ChallengeDetail } from '../../../contracts/api.ts';
import type { SubmissionForm } from '../../../contracts/rubric.ts';
import { formatBytes, formatCount, plural } from '../components/format.ts';
import { CaseFields } from './case-fields.tsx';
import { ChosenFile } from './chosen-file.tsx';
import { mostFields } from './draft.ts';
import { FileField } from './file-field.tsx';
import type { FieldsProps } from './submit-form.tsx';
import { TemplateLink } from './template-link.tsx';

export type MapForm = Extract<SubmissionForm, { kind: 'answers' | 'prompts' }>;

/** Answers or prompts by case: a field for each public case while they are few, the whole map as JSON, or a file. */
export function MapFields(props: FieldsProps & { form: MapForm }) {
  const { challenge, form, draft, onChange } = props;
  const phase = challenge.phases.find(({ name }) => name === draft.phase);
  const few = challenge.publicCases.length > 0 && challenge.publicCaseCount <= mostFields && phase?.splits.includes('public') !== false;
  const mode = few ? draft.mode : 'json';
  const word = form.kind === 'answers' ? 'answer' : 'prompt';
  return (
    <div className="stack">
      <div className="field-foot">
        {few && (
          <SegmentedControl
            aria-label="How to fill in"
            size="xs"
            value={mode}
            data={[
              { value: 'fields', label: 'One field per public case' },
              { value: 'json', label: 'JSON' },
            ]}
            onChange={(chosen) => onChange({ mode: chosen === 'json' ? 'json' : 'fields' })}
          />
        )}
        <FileField
          accepted={[form.kind]}
          endings=".json"
          onRead={(name, bytes, document) => onChange({ file: { name, bytes, document } })}
        />
        <TemplateLink form={form} cases={challenge.publicCases} slug={challenge.slug} />
      </div>
      <HiddenCases challenge={challenge} phase={phase} />
      {draft.file ? (
        <ChosenFile
          name={draft.file.name}
          about={`${formatBytes(draft.file.bytes)}, ${plural(countOf(draft.file), word)}`}
          onRemove={() => onChange({ file: null })}
        />
      ) : mode === 'fields' ? (
        <CaseFields {...props} />
      ) : (
        <Textarea
          label={form.kind === 'answers' ? 'Answers as JSON' : 'Prompts as JSON'}
          description={`An object from case key to ${word}. Cases you leave out count as missing. ${templateWords(challenge)}`}
          rows={16}
          className="code-field"
          spellCheck={false}
          value={draft.json}
          onChange={(event) => onChange({ json: event.currentTarget.value })}
        />
      )}
    </div>
  );
}

function templateWords({ publicCases, publicCaseCount }: ChallengeDetail): string {
  if (publicCases.length === publicCaseCount) return `The template has the ${plural(publicCaseCount, 'public case')}.`;
  return `The template has the first ${formatCount(publicCases.length)} of ${formatCount(publicCaseCount)} public cases.`;
}

/** Hidden cases are never listed here; a phase that has them says where their keys are. */
function HiddenCases({ challenge, phase }: { challenge: ChallengeDetail; phase: ChallengeDetail['phases'][number] | undefined }) {
  const shown = phase?.splits.includes('public') ? challenge.publicCaseCount : 0;
  if (phase === undefined || phase.cases <= shown) return null;
  return (
    <p className="muted">
      This phase also has {plural(phase.cases - shown, 'case')} that are not listed here. Where they can be answered, the overview says by
      which keys; send them as JSON or as a file.
    </p>
  );
}

function countOf({ document }: NonNullable<FieldsProps['draft']['file']>): number {
  if (document.kind === 'answers') return Object.keys(document.answers).length;
  return document.kind === 'prompts' ? Object.keys(document.prompts).length : 0;
}
