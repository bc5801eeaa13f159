import { useQuery } from '@tanstack/react-query';
import type { CaseDetail } from '../../../contracts/api.ts';
import type { Json } from '../../../contracts/json.ts';
import { caseQuery } from '../api/queries.ts';
import { PageDialog } from '../components/dialog.tsx';
import { formatDuration, formatScore, plural } from '../components/format.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RowsSkeleton } from '../components/rows-skeleton.tsx';
import { TextBlock } from '../components/text-block.tsx';
import { VisibleText } from '../components/visible-text.tsx';
import { Artifacts } from './artifacts.tsx';
import { caseEnd } from './case-end.ts';
import { GradeCard } from './grade-card.tsx';
import { Transcript } from './transcript.tsx';

interface Props {
  evaluationId: string;
  caseId: string;
  trial: number;
  onClose: () => void;
}

/** Everything about one public case: what went in, what was said, how each grader decided and on what evidence, the log. */
export function CaseDrawer({ evaluationId, caseId, trial, onClose }: Props) {
  const query = useQuery({ ...caseQuery(evaluationId, caseId, trial), staleTime: 60_000 });
  return (
    <PageDialog kind="drawer" onClose={onClose} title={<VisibleText text={`Case ${caseId}${trial > 0 ? `, trial ${trial}` : ''}`} />}>
      {query.error && <ProblemNotice error={query.error} what="This case could not be loaded." onRetry={() => void query.refetch()} />}
      {query.isPending && <RowsSkeleton rows={4} height={90} label="Loading the case" />}
      {query.data && <Detail evaluationId={evaluationId} detail={query.data} />}
    </PageDialog>
  );
}

function Detail({ evaluationId, detail }: { evaluationId: string; detail: CaseDetail }) {
  const { case: view, input, transcript, log } = detail;
  const end = caseEnd(view);
  return (
    <div className="stack">
      <p className="numbers">
        <span className={`outcome outcome-${end.tone}`}>
          <span aria-hidden="true">{end.icon}</span> {end.word}
        </span>{' '}
        score {view.score === null ? 'none' : formatScore(view.score)}, {formatDuration(view.wallMs)},{' '}
        {plural(view.usage.calls, 'model call')}
      </p>
      {view.message !== null && (
        <p className="notice notice-warn">
          <VisibleText text={view.message} />
        </p>
      )}
      <section>
        <h3>Grades</h3>
        {view.grades.length === 0 && <p className="muted">No grader saw this case.</p>}
        {view.grades.map((grade) => (
          <GradeCard key={grade.criterion} grade={grade} />
        ))}
      </section>
      <section>
        <h3>Input</h3>
        <TextBlock label="Input" text={jsonWords(input)} />
      </section>
      <section>
        <h3>Transcript</h3>
        {transcript.length === 0 ? <p className="muted">No model was called.</p> : <Transcript exchanges={transcript} />}
      </section>
      <Artifacts evaluationId={evaluationId} view={view} />
      {log !== null && (
        <section>
          <h3>Log</h3>
          <TextBlock label="Log" text={log} />
        </section>
      )}
    </div>
  );
}

const jsonWords = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));
