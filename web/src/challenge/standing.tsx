import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { StandingView } from '../../../contracts/api.ts';
import { standingsQuery } from '../api/queries.ts';
import { SampleTag, Tag } from '../components/badges.tsx';
import { Empty } from '../components/empty.tsx';
import { formatScore } from '../components/format.ts';
import { type Axis, IntervalBar, sharedAxis } from '../components/interval-bar.tsx';
import { LoadMore } from '../components/load-more.tsx';
import { OutcomeMark } from '../components/outcome.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RelativeTime } from '../components/relative-time.tsx';
import { RowsSkeleton } from '../components/rows-skeleton.tsx';
import { TableFrame } from '../components/table-frame.tsx';
import { VisibleText } from '../components/visible-text.tsx';

const note =
  'Ranks are ranges where intervals overlap: those entries are statistically tied. A score is provisional until independent replicas agree with it.';

export function Standing({ slug, onSubmit }: { slug: string; onSubmit: () => void }) {
  const query = useInfiniteQuery(standingsQuery(slug));
  if (query.error)
    return <ProblemNotice error={query.error} what="The standing could not be loaded." onRetry={() => void query.refetch()} />;
  if (!query.data) return <RowsSkeleton rows={6} height={40} label="Loading the standing" />;
  const rows = query.data.pages.flatMap((page) => page.items);
  if (rows.length === 0) {
    return (
      <Empty why="Nobody has a score here yet.">
        <Button onClick={onSubmit}>Be the first</Button>
      </Empty>
    );
  }
  const axis = sharedAxis(rows.flatMap((row) => [row.score, ...(row.interval ?? [])]));
  return (
    <>
      <TableFrame caption="Standing" note={note}>
        <thead>
          <tr>
            <th scope="col" className="right">
              Rank
            </th>
            <th scope="col">Submission</th>
            <th scope="col" className="right">
              Score
            </th>
            <th scope="col" className="interval-head">
              <span className="axis-ends">
                <span>{formatScore(axis.min)}</span>
                <span>Interval</span>
                <span>{formatScore(axis.max)}</span>
              </span>
            </th>
            <th scope="col">Outcome</th>
            <th scope="col">Judged</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <StandingRow key={row.submissionId} row={row} axis={axis} />
          ))}
        </tbody>
      </TableFrame>
      <LoadMore query={query} what="entries" />
    </>
  );
}

function StandingRow({ row, axis }: { row: StandingView; axis: Axis }) {
  const [first, last] = row.rankRange;
  return (
    <tr>
      <td className="right numbers" title={`place ${row.rank} by score`}>
        {first === last ? first : `${first}–${last}`}
      </td>
      <td>
        <Link to="/submissions/$id" params={{ id: row.submissionId }}>
          <VisibleText text={row.submissionTitle} />
        </Link>
        <div className="muted sub-line">{row.sample ? <SampleTag /> : <VisibleText text={row.participant} />}</div>
      </td>
      <td className="right numbers">{formatScore(row.score)}</td>
      <td className="interval-cell">
        <IntervalBar score={row.score} interval={row.interval} axis={axis} />
      </td>
      <td>
        <OutcomeMark outcome={row.outcome} />
        <div className="sub-line">
          <Tag>{row.standing}</Tag>
        </div>
      </td>
      <td className="nowrap">
        <RelativeTime at={row.at} />
      </td>
    </tr>
  );
}
