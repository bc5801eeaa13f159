import { Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import type { ChallengeDetail } from '../../../contracts/api.ts';
import { challengeQuery } from '../api/queries.ts';
import { ChallengeHead } from '../challenge/challenge-head.tsx';
import { Overview } from '../challenge/overview.tsx';
import { RubricTab } from '../challenge/rubric-tab.tsx';
import { Standing } from '../challenge/standing.tsx';
import { usePageTitle } from '../components/page-title.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { RowsSkeleton } from '../components/rows-skeleton.tsx';
import type { ChallengeTab } from '../search.ts';

// Apart from the rest of the page: it brings the contracts' schemas, to check a submission before it is sent.
const SubmitTab = lazy(async () => ({ default: (await import('../submit/submit-tab.tsx')).SubmitTab }));
const route = getRouteApi('/challenges/$slug');
const labels: Record<ChallengeTab, string> = { overview: 'Overview', rubric: 'Rubric', standing: 'Standing', submit: 'Submit' };
const tabs = Object.keys(labels) as ChallengeTab[];

export function ChallengePage() {
  const { slug } = route.useParams();
  const query = useQuery(challengeQuery(slug));
  usePageTitle(query.data?.title);
  if (query.data) return <Loaded challenge={query.data} />;
  if (query.error)
    return <ProblemNotice error={query.error} what="This challenge could not be loaded." onRetry={() => void query.refetch()} />;
  return <RowsSkeleton rows={5} height={96} label="Loading the challenge" />;
}

function Loaded({ challenge }: { challenge: ChallengeDetail }) {
  const { tab = 'overview' } = route.useSearch();
  const navigate = route.useNavigate();
  const open = (next: string | null) => {
    const chosen = tabs.find((name) => name === next) ?? 'overview';
    void navigate({ search: chosen === 'overview' ? {} : { tab: chosen }, resetScroll: false });
  };
  return (
    <>
      <ChallengeHead challenge={challenge} />
      <Tabs value={tab} onChange={open} keepMounted={false}>
        <Tabs.List aria-label="Parts of this challenge">
          {tabs.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {labels[name]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">
          <Overview challenge={challenge} onSubmit={() => open('submit')} />
        </Tabs.Panel>
        <Tabs.Panel value="rubric">
          <RubricTab challenge={challenge} />
        </Tabs.Panel>
        <Tabs.Panel value="standing">
          <Standing slug={challenge.slug} onSubmit={() => open('submit')} />
        </Tabs.Panel>
        <Tabs.Panel value="submit">
          <Suspense fallback={<RowsSkeleton rows={4} height={96} label="Loading the form" />}>
            <SubmitTab challenge={challenge} />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
