import { SegmentedControl } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { CaseView, EvaluationView } from '../../../contracts/api.ts';
import { casesQuery } from '../api/queries.ts';
import { Empty } from '../components/empty.tsx';
import { formatCount } from '../components/format.ts';
import { LoadMore } from '../components/load-more.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RowsSkeleton } from '../components/rows-skeleton.tsx';
import { TableFrame } from '../components/table-frame.tsx';
import type { CaseFilter } from '../search.ts';
import { matchesFilter } from './case-end.ts';
import { CaseRow } from './case-row.tsx';

interface Props {
  evaluation: EvaluationView;
  show: CaseFilter;
  onShow: (show: CaseFilter) => void;
  onOpen: (at: { caseId: string; trial: number }) => void;
}
const filters: { value: CaseFilter; label: string }[] = [
  { value: 'all', label: 'All' },
  { value: 'failed', label: 'Failed' },
  { value: 'errors', label: 'Errors' },
];

/** The public cases as they are judged. A filter looks at all of them, so it loads the pages that are still missing. */
export function CaseTable({ evaluation, show, onShow, onOpen }: Props) {
  const query = useInfiniteQuery(casesQuery(evaluation.id));
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  useEffect(() => {
    if (show !== 'all' && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [show, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const all = query.data?.pages.flatMap((page) => page.items) ?? [];
  const rows = all.filter((row) => matchesFilter(row, show));
  return (
    <section className="cases">
      <div className="section-head">
        <h2>
          Public cases <span className="muted numbers">{all.length > 0 && `${formatCount(all.length)}${hasNextPage ? '+' : ''}`}</span>
        </h2>
        <SegmentedControl
          size="xs"
          aria-label="Which cases"
          data={filters}
          value={show}
          onChange={(value) => onShow(filters.find((filter) => filter.value === value)?.value ?? 'all')}
        />
      </div>
      {query.error && <ProblemNotice error={query.error} what="The cases could not be loaded." onRetry={() => void query.refetch()} />}
      {query.isPending && <RowsSkeleton rows={6} height={36} label="Loading the cases" />}
      {query.data && rows.length === 0 && <Empty why={whyEmpty(evaluation, all.length)} />}
      {rows.length > 0 && <Rows rows={rows} evaluation={evaluation} onOpen={onOpen} />}
      <LoadMore query={query} what="cases" />
    </section>
  );
}

function whyEmpty(evaluation: EvaluationView, loaded: number): string {
  if (loaded > 0) return 'No case matches this filter.';
  if (evaluation.status === 'done') return 'No public case was judged; nothing is shown of hidden ones.';
  return 'No case is judged yet. They appear here one by one.';
}

function Rows({ rows, evaluation, onOpen }: Pick<Props, 'evaluation' | 'onOpen'> & { rows: readonly CaseView[] }) {
  const criteria = [...new Set(rows.flatMap((row) => row.grades.map((grade) => grade.criterion)))];
  const titles = new Map(evaluation.criteria.map(({ name, title }) => [name, title]));
  const trials = rows.some((row) => row.trial > 0);
  return (
    <TableFrame caption="Public cases">
      <thead>
        <tr>
          <th scope="col">Case</th>
          {trials && (
            <th scope="col" className="right">
              Trial
            </th>
          )}
          <th scope="col">End</th>
          <th scope="col" className="right">
            Score
          </th>
          {criteria.map((name) => (
            <th key={name} scope="col" className="right" title={titles.get(name)}>
              {name}
            </th>
          ))}
          <th scope="col" className="right">
            Time
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <CaseRow key={`${row.caseId}/${row.trial}`} row={row} criteria={criteria} trials={trials} onOpen={onOpen} />
        ))}
      </tbody>
    </TableFrame>
  );
}
