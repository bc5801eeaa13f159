import type { EvaluationView } from '../../../contracts/api.ts';
import type { Status } from '../../../contracts/status.ts';
import { formatDuration } from '../components/format.ts';
import { OutcomeMark } from '../components/outcome.tsx';
import { RelativeTime } from '../components/relative-time.tsx';
import { type StageView, stagesOf } from './stages.ts';

const icons: Record<StageView['state'], string> = { past: '✓', current: '●', ahead: '○', skipped: '–' };
const words: Record<StageView['state'], string> = { past: 'finished', current: 'now', ahead: 'to come', skipped: 'not needed' };

/** Where the evaluation is, from received to done, with how long each stage took. */
export function StageStrip({ evaluation, entered }: { evaluation: EvaluationView; entered: Partial<Record<Status, string>> }) {
  const { done, of } = evaluation.progress;
  return (
    <ol className="stages" aria-label="Stages">
      {stagesOf(evaluation, entered).map((view) => (
        <li key={view.stage} className={`stage stage-${view.state}`} aria-current={view.state === 'current' ? 'step' : undefined}>
          <span className="stage-name">
            <span className="stage-icon" aria-hidden="true">
              {icons[view.state]}
            </span>
            {view.stage}
            <span className="visually-hidden">, {words[view.state]}</span>
          </span>
          <span className="stage-detail numbers">
            <Detail view={view} evaluation={evaluation} />
            {view.stage === 'running' && view.state === 'current' && of > 0 && ` · ${done} of ${of} cases`}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Detail({ view, evaluation }: { view: StageView; evaluation: EvaluationView }) {
  if (view.stage === 'done' && evaluation.outcome) return <OutcomeMark outcome={evaluation.outcome} />;
  if (view.state === 'current' && evaluation.status === 'parked') return <>waits for an operator</>;
  if (view.state === 'current' && view.enteredAt) return <RelativeTime at={view.enteredAt} />;
  if (view.tookMs !== null) return <>{formatDuration(view.tookMs)}</>;
  return <>{view.state === 'skipped' ? 'not needed' : ' '}</>;
}
