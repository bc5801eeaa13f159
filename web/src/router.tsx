import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { PageError } from './components/page-error.tsx';
import { NotFound } from './pages/not-found.tsx';
import { caseFilters, challengeTabs, oneOf, only, type Search, text } from './search.ts';
import { Shell } from './shell/shell.tsx';

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageError });

const listRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  validateSearch: (search: Search) => only({ q: text(search.q), tag: text(search.tag) }),
  component: lazyRouteComponent(() => import('./pages/challenge-list.tsx'), 'ChallengeList'),
});

const challengesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/challenges',
  beforeLoad: () => {
    throw redirect({ to: '/', replace: true });
  },
});

const challengeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/challenges/$slug',
  validateSearch: (search: Search) => only({ tab: oneOf(challengeTabs, search.tab), source: search.source === true ? true : undefined }),
  component: lazyRouteComponent(() => import('./pages/challenge.tsx'), 'ChallengePage'),
});

const submissionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/submissions',
  component: lazyRouteComponent(() => import('./pages/submissions.tsx'), 'SubmissionsPage'),
});

const submissionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/submissions/$id',
  validateSearch: (search: Search) =>
    only({
      show: oneOf(caseFilters, search.show),
      case: text(search.case),
      trial: Number.isSafeInteger(search.trial) ? (search.trial as number) : undefined,
    }),
  component: lazyRouteComponent(() => import('./pages/submission.tsx'), 'SubmissionPage'),
});

const statusRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/status',
  component: lazyRouteComponent(() => import('./pages/status.tsx'), 'StatusPage'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([listRoute, challengesRoute, challengeRoute, submissionsRoute, submissionRoute, statusRoute]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
