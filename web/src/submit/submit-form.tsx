import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { ChallengeDetail, CreateSubmission } from '../../../contracts/api.ts';
import type { SubmissionForm } from '../../../contracts/rubric.ts';
import { problemOf } from '../api/client.ts';
import { kindLabel } from '../components/badges.tsx';
import { buildDocument } from './build-document.ts';
import { DefenceFields } from './defence-fields.tsx';
import { type Draft, emptyDraft, keepDraft, keptDraft } from './draft.ts';
import { ErrorSummary } from './error-summary.tsx';
import { ImageFields } from './image-fields.tsx';
import { MapFields } from './map-fields.tsx';
import { ProgramFields } from './program-fields.tsx';
import type { Refusal } from './refusal.ts';
import { ReportFields } from './report-fields.tsx';
import { useSubmit } from './use-submit.ts';

interface Props {
  challenge: ChallengeDetail;
  forms: readonly SubmissionForm[];
}

export function SubmitForm({ challenge, forms }: Props) {
  const [draft, setDraft] = useState<Draft>(() => keptDraft(challenge.slug) ?? emptyDraft(challenge, forms));
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const summary = useRef<HTMLDivElement>(null);
  const submit = useSubmit(challenge);
  useEffect(() => keepDraft(challenge.slug, draft), [challenge.slug, draft]);
  // Once the summary is drawn, the focus goes to what has to be mended.
  useEffect(() => {
    if (refusal) summary.current?.focus();
  }, [refusal]);
  const form = forms.find(({ kind }) => kind === draft.kind) ?? forms[0];
  if (!form) return null;
  // From the draft as it is then: a file is read while the person goes on typing.
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const send = () => {
    const built = buildDocument(draft, form, challenge.publicCases);
    if (!built.ok)
      return setRefusal({
        detail: built.problem,
        faultOf: 'participant',
        advice: 'Nothing was sent. Mend it and submit again.',
        errors: built.errors,
      });
    setRefusal(null);
    submit.mutate(requestOf(draft, built.document), { onError: (error) => setRefusal(problemOf(error)) });
  };
  return (
    <form
      className="stack submit-form"
      aria-label="Submission"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <ErrorSummary ref={summary} refusal={refusal} />
      <FormHead challenge={challenge} forms={forms} draft={draft} onChange={change} />
      <KindFields challenge={challenge} form={form} draft={draft} errors={refusal?.errors ?? []} onChange={change} />
      <div className="submit-line">
        <Button type="submit" loading={submit.isPending}>
          Submit
        </Button>
        <span className="muted">
          {form.kind === 'report' ? 'Graders look at it at once, then it waits for a person.' : 'It is judged at once; you follow it live.'}{' '}
          A failure of ours costs you nothing.
        </span>
      </div>
    </form>
  );
}

function requestOf(draft: Draft, submission: CreateSubmission['submission']): CreateSubmission {
  const title = draft.title.trim();
  return { ...(title ? { title } : {}), ...(draft.phase ? { phase: draft.phase } : {}), submission };
}

export interface FieldsProps {
  challenge: ChallengeDetail;
  draft: Draft;
  errors: readonly { path: string; message: string }[];
  onChange: (part: Partial<Draft>) => void;
}

function KindFields(props: FieldsProps & { form: SubmissionForm }) {
  const { form, ...rest } = props;
  if (form.kind === 'answers' || form.kind === 'prompts') return <MapFields form={form} {...rest} />;
  if (form.kind === 'defence') return <DefenceFields form={form} {...rest} />;
  if (form.kind === 'program') return <ProgramFields form={form} {...rest} />;
  if (form.kind === 'image') return <ImageFields {...rest} />;
  return <ReportFields form={form} {...rest} />;
}

function FormHead(props: Props & { draft: Draft; onChange: (part: Partial<Draft>) => void }) {
  const { challenge, forms, draft, onChange } = props;
  return (
    <div className="form-head">
      {forms.length > 1 && (
        <NativeSelect
          label="What you send"
          value={draft.kind}
          data={forms.map(({ kind }) => ({ value: kind, label: kindLabel(kind) }))}
          onChange={(event) => onChange({ kind: forms.find(({ kind }) => kind === event.currentTarget.value)?.kind ?? draft.kind })}
        />
      )}
      {challenge.phases.length > 1 && (
        <NativeSelect
          label="Phase"
          value={draft.phase}
          data={challenge.phases.map((phase) => ({ value: phase.name, label: `${phase.title} (${phase.cases} cases)` }))}
          onChange={(event) => onChange({ phase: event.currentTarget.value })}
        />
      )}
      <TextInput
        label={draft.kind === 'report' ? 'Name of this submission (optional)' : 'Title (optional)'}
        maxLength={200}
        value={draft.title}
        onChange={(event) => onChange({ title: event.currentTarget.value })}
      />
    </div>
  );
}
