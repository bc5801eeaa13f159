import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { SubmissionView } from '../../../contracts/api.ts';
import { submissionQuery } from '../api/queries.ts';
import { usePageTitle } from '../components/page-title.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RowsSkeleton } from '../components/rows-skeleton.tsx';
import { useLive } from '../live/use-live.ts';
import { Announcer } from '../submission/announcer.tsx';
import { CaseDrawer } from '../submission/case-drawer.tsx';
import { CaseTable } from '../submission/case-table.tsx';
import { Criteria } from '../submission/criteria.tsx';
import { Metrics } from '../submission/metrics.tsx';
import { Provenance } from '../submission/provenance.tsx';
import { ResultPanel } from '../submission/result-panel.tsx';
import { StageStrip } from '../submission/stage-strip.tsx';
import { SubmissionHead } from '../submission/submission-head.tsx';
import { UsagePanel } from '../submission/usage-panel.tsx';

const route = getRouteApi('/submissions/$id');

export function SubmissionPage() {
  const { id } = route.useParams();
  const query = useQuery(submissionQuery(id));
  usePageTitle(query.data?.title);
  if (query.data) return <Loaded submission={query.data} key={query.data.evaluation.id} />;
  if (query.error)
    return <ProblemNotice error={query.error} what="This submission could not be loaded." onRetry={() => void query.refetch()} />;
  return <RowsSkeleton rows={5} height={110} label="Loading the submission" />;
}

function Loaded({ submission }: { submission: SubmissionView }) {
  const { evaluation } = submission;
  const live = useLive(submission.id, evaluation.id);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const opened = search.case === undefined ? null : { caseId: search.case, trial: search.trial ?? 0 };
  const open = (at: { caseId: string; trial: number } | null) =>
    void navigate({
      search: { ...(search.show ? { show: search.show } : {}), ...(at ? { case: at.caseId, trial: at.trial } : {}) },
      resetScroll: false,
      replace: at === null,
    });
  return (
    <>
      <SubmissionHead submission={submission} live={evaluation.status === 'done' ? 'ended' : live.state} />
      <StageStrip evaluation={evaluation} entered={live.entered} />
      <Announcer evaluation={evaluation} />
      <ResultPanel evaluation={evaluation} retry={live.retry} />
      <div className="two-columns">
        <Metrics metrics={evaluation.metrics} done={evaluation.status === 'done'} />
        <Criteria criteria={evaluation.criteria} done={evaluation.status === 'done'} counts={!evaluation.rounded} />
      </div>
      <CaseTable
        evaluation={evaluation}
        show={search.show ?? 'all'}
        onShow={(show) => void navigate({ search: show === 'all' ? {} : { show }, resetScroll: false, replace: true })}
        onOpen={open}
      />
      <UsagePanel evaluation={evaluation} />
      <Provenance submission={submission} />
      {opened && <CaseDrawer evaluationId={evaluation.id} caseId={opened.caseId} trial={opened.trial} onClose={() => open(null)} />}
    </>
  );
}
