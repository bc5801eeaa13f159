import { Button, Textarea, TextInput } from '@mantine/core';
import type { SubmissionForm } from '../../../contracts/rubric.ts';
import { formatCount } from '../components/format.ts';
import { characters } from './build-document.ts';
import { FileField } from './file-field.tsx';
import { errorFor } from './refusal.ts';
import type { FieldsProps } from './submit-form.tsx';

const mostEvidence = 20;

export function ReportFields(props: FieldsProps & { form: Extract<SubmissionForm, { kind: 'report' }> }) {
  const { form, draft, errors, onChange } = props;
  const { report } = draft;
  const change = (part: Partial<typeof report>) => onChange({ report: { ...report, ...part } });
  return (
    <div className="stack">
      <TextInput
        label="What was found"
        description="One line: which system does what it should not, under which condition."
        maxLength={200}
        value={report.title}
        error={errorFor(errors, 'title')}
        onChange={(event) => change({ title: event.currentTarget.value })}
      />
      <Textarea
        label="Report"
        description="Markdown. What happens, why it matters, how to make it happen again. A person decides; graders only advise."
        rows={12}
        value={report.body}
        error={errorFor(errors, 'body')}
        onChange={(event) => change({ body: event.currentTarget.value })}
      />
      <div className="field-foot">
        <FileField
          accepted={['report']}
          endings=".md,.txt,.json"
          onRead={(_name, _bytes, document) => document.kind === 'report' && change(document)}
        />
        <span className="numbers muted">
          {formatCount(characters(report.body))} of {formatCount(form.maxCharacters)} characters
        </span>
      </div>
      <Evidence {...props} onEvidence={(evidence) => change({ evidence })} />
    </div>
  );
}

type Pieces = FieldsProps['draft']['report']['evidence'];

function Evidence(props: FieldsProps & { form: { minEvidence: number }; onEvidence: (evidence: Pieces) => void }) {
  const { draft, errors, form, onEvidence } = props;
  const pieces = draft.report.evidence;
  // Of the list as a whole; what is wrong with one piece stands beside that piece.
  const tooFew = errors.find(({ path }) => /(^|\/)evidence$/.test(path))?.message;
  const changePiece = (at: number, part: Partial<Pieces[number]>) =>
    onEvidence(pieces.map((piece, i) => (i === at ? { ...piece, ...part } : piece)));
  return (
    <fieldset className="stack evidence-fields">
      <legend>Evidence</legend>
      <p className="muted">
        A transcript, a log, the steps to reproduce it{form.minEvidence > 0 && `; at least ${form.minEvidence}`}.
        {tooFew !== undefined && <strong role="alert"> {tooFew}</strong>}
      </p>
      {pieces.map((piece, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity of their own while they are written
        <div key={i} className="stack">
          <TextInput
            label={`Evidence ${i + 1}: name`}
            maxLength={200}
            value={piece.title}
            error={errorFor(errors, `evidence/${i}/title`)}
            onChange={(event) => changePiece(i, { title: event.currentTarget.value })}
          />
          <Textarea
            label={`Evidence ${i + 1}: text`}
            rows={6}
            value={piece.text}
            error={errorFor(errors, `evidence/${i}/text`)}
            onChange={(event) => changePiece(i, { text: event.currentTarget.value })}
          />
          <Button variant="subtle" size="compact-sm" onClick={() => onEvidence(pieces.filter((_, at) => at !== i))}>
            Remove evidence {i + 1}
          </Button>
        </div>
      ))}
      {pieces.length < mostEvidence && (
        <Button variant="default" size="compact-sm" onClick={() => onEvidence([...pieces, { title: '', text: '' }])}>
          Add evidence
        </Button>
      )}
    </fieldset>
  );
}
