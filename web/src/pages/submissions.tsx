import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { SubmissionView } from '../../../contracts/api.ts';
import { submissionsQuery } from '../api/queries.ts';
import { kindLabel, SampleTag } from '../components/badges.tsx';
import { Empty } from '../components/empty.tsx';
import { formatScore } from '../components/format.ts';
import { LoadMore } from '../components/load-more.tsx';
import { OutcomeMark } from '../components/outcome.tsx';
import { usePageTitle } from '../components/page-title.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RelativeTime } from '../components/relative-time.tsx';
import { RowsSkeleton } from '../components/rows-skeleton.tsx';
import { TableFrame } from '../components/table-frame.tsx';
import { VisibleText } from '../components/visible-text.tsx';

const whileSomeRunMs = 3_000;

export function SubmissionsPage() {
  usePageTitle('Submissions');
  const query = useInfiniteQuery({
    ...submissionsQuery(),
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some((item) => item.evaluation.status !== 'done')) ? whileSomeRunMs : false,
  });
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <header className="page-head">
        <h1>Submissions</h1>
        <p className="muted">Newest first. Each opens with its stages, cases and grades.</p>
      </header>
      {query.error && (
        <ProblemNotice error={query.error} what="The submissions could not be loaded." onRetry={() => void query.refetch()} />
      )}
      {query.isPending && <RowsSkeleton rows={8} height={48} label="Loading submissions" />}
      {query.data && rows.length === 0 && (
        <Empty why="Nothing has been submitted yet.">
          <Link to="/">Choose a challenge</Link>
        </Empty>
      )}
      {rows.length > 0 && <Rows rows={rows} />}
      <LoadMore query={query} what="submissions" />
    </>
  );
}

function Rows({ rows }: { rows: readonly SubmissionView[] }) {
  return (
    <TableFrame caption="Submissions, newest first">
      <thead>
        <tr>
          <th scope="col">Submission</th>
          <th scope="col">Status</th>
          <th scope="col" className="right">
            Score
          </th>
          <th scope="col">Challenge</th>
          <th scope="col">Kind</th>
          <th scope="col">Sent</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id}>
            <th scope="row">
              <Link to="/submissions/$id" params={{ id: row.id }}>
                <VisibleText text={row.title} />
              </Link>
              <div className="muted sub-line">{row.sample ? <SampleTag /> : <VisibleText text={row.participant} />}</div>
            </th>
            <td className="nowrap">
              <State row={row} />
            </td>
            <td className="right numbers">{row.evaluation.score === null ? '–' : formatScore(row.evaluation.score)}</td>
            <td>
              <Link to="/challenges/$slug" params={{ slug: row.challenge }}>
                {row.challenge}
              </Link>
            </td>
            <td>{kindLabel(row.kind)}</td>
            <td className="nowrap">
              <RelativeTime at={row.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </TableFrame>
  );
}

function State({ row }: { row: SubmissionView }) {
  const { status, outcome, progress } = row.evaluation;
  if (outcome !== null) return <OutcomeMark outcome={outcome} />;
  return (
    <>
      {status}
      {status === 'running' && progress.of > 0 && (
        <span className="muted numbers">
          {' '}
          {progress.done} of {progress.of}
        </span>
      )}
    </>
  );
}
