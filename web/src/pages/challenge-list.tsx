import { Button } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { challengesQuery, systemQuery } from '../api/queries.ts';
import { SearchBox } from '../challenge-list/search-box.tsx';
import { ChallengeRow } from '../challenge-list/challenge-row.tsx';
import { TagFilter } from '../challenge-list/tag-filter.tsx';
import { Empty } from '../components/empty.tsx';
import { LoadMore } from '../components/load-more.tsx';
import { usePageTitle } from '../components/page-title.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RowsSkeleton } from '../components/rows-skeleton.tsx';

const route = getRouteApi('/');

export function ChallengeList() {
  usePageTitle('Challenges');
  const { q = '', tag } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery({ ...challengesQuery(q, tag), placeholderData: (before) => before });
  const challenges = query.data?.pages.flatMap((page) => page.items) ?? [];
  // From the address as it is then, not as it was drawn: the text arrives a moment after the last key.
  const setFilters = (change: { q?: string; tag?: string | undefined }) =>
    void navigate({ search: (before) => withoutEmpty({ ...before, ...change }), replace: true });
  const filtered = q !== '' || tag !== undefined;
  return (
    <>
      <header className="page-head">
        <h1>Challenges</h1>
        <p className="muted">Each is an executable rubric: what you send is judged by running it, and you see how.</p>
      </header>
      <div className="filters">
        <SearchBox value={q} onSearch={(text) => setFilters({ q: text })} />
        <TagFilter shown={challenges} chosen={tag} onChoose={(chosen) => setFilters({ tag: chosen })} />
      </div>
      {query.isPending && <RowsSkeleton rows={4} height={112} label="Loading challenges" />}
      {query.error && <ProblemNotice error={query.error} what="The challenges could not be loaded." onRetry={() => void query.refetch()} />}
      {query.data && challenges.length === 0 && <Nothing filtered={filtered} onDrop={() => setFilters({ q: '', tag: undefined })} />}
      {challenges.length > 0 && (
        <ul className="challenge-list" aria-label="Challenges" aria-busy={query.isPlaceholderData}>
          {challenges.map((challenge) => (
            <ChallengeRow key={challenge.slug} challenge={challenge} />
          ))}
        </ul>
      )}
      <LoadMore query={query} what="challenges" />
    </>
  );
}

const withoutEmpty = ({ q, tag }: { q?: string; tag?: string | undefined }) => ({ ...(q ? { q } : {}), ...(tag ? { tag } : {}) });

function Nothing({ filtered, onDrop }: { filtered: boolean; onDrop: () => void }) {
  const { data } = useQuery(systemQuery);
  if (filtered) {
    return (
      <Empty why="No challenge matches these filters.">
        <Button variant="default" onClick={onDrop}>
          Drop the filters
        </Button>
      </Empty>
    );
  }
  const loading = data !== undefined && data.firstStart.done < data.firstStart.of;
  return (
    <Empty why={loading ? 'The built-in challenges are being loaded.' : 'No challenge has been published here yet.'}>
      <p className="muted">
        A worker publishes the built-in challenges when it starts, unless <code>LOAD_LIBRARY</code> is off.
      </p>
    </Empty>
  );
}
