import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type {
  CaseDetail,
  CaseView,
  ChallengeDetail,
  ChallengeSummary,
  RubricSource,
  StandingView,
  SubmissionView,
  SystemView,
} from '../../../contracts/api.ts';
import { paths } from '../../../contracts/paths.ts';
import { call } from './client.ts';

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** `path?a=b` without the parameters that are empty. */
function withQuery(path: string, parameters: Record<string, string | number | null | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

function pages<T>(key: readonly unknown[], path: string, parameters: Record<string, string | number | undefined> = {}) {
  return infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => call<Page<T>>(withQuery(path, { ...parameters, cursor: pageParam }), { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last: Page<T>) => last.nextCursor,
  });
}

export const systemQuery = queryOptions({
  queryKey: ['system'],
  queryFn: ({ signal }) => call<SystemView>(paths.system, { signal }),
  refetchInterval: ({ state }) => {
    const first = state.data?.firstStart;
    return first && first.done < first.of ? 1_000 : 30_000;
  },
});

export const challengesQuery = (q: string, tag: string | undefined) =>
  pages<ChallengeSummary>(['challenges', { q, tag }], paths.challenges, { q, tag, limit: 50 });

export const challengeQuery = (slug: string) =>
  queryOptions({ queryKey: ['challenge', slug], queryFn: ({ signal }) => call<ChallengeDetail>(paths.challenge(slug), { signal }) });

export const rubricSourceQuery = (slug: string) =>
  queryOptions({
    queryKey: ['challenge', slug, 'source'],
    queryFn: ({ signal }) => call<RubricSource>(paths.rubricSource(slug), { signal }),
  });

export const standingsQuery = (slug: string) => pages<StandingView>(['challenge', slug, 'standings'], paths.standings(slug), { limit: 50 });

export const submissionsQuery = () => pages<SubmissionView>(['submissions'], paths.submissions, { limit: 50 });

export const submissionQuery = (id: string) =>
  queryOptions({ queryKey: ['submission', id], queryFn: ({ signal }) => call<SubmissionView>(paths.submission(id), { signal }) });

export const casesQuery = (evaluationId: string) => pages<CaseView>(['cases', evaluationId], paths.cases(evaluationId), { limit: 100 });

export const caseQuery = (evaluationId: string, caseId: string, trial: number) =>
  queryOptions({
    queryKey: ['case', evaluationId, caseId, trial],
    queryFn: ({ signal }) => call<CaseDetail>(paths.case(evaluationId, caseId, trial), { signal }),
  });
