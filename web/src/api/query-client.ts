import { QueryClient } from '@tanstack/react-query';
import { ApiProblem } from './client.ts';

/** One cache for all pages. Only failures that may pass by themselves are retried: a 404 stays a 404. */
export function createPagesQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => failures < 2 && mayPass(error),
        retryDelay: (failures) => 300 * 2 ** failures,
      },
    },
  });
}

function mayPass(error: unknown): boolean {
  return error instanceof ApiProblem && (error.problem.status === 0 || error.problem.status >= 500);
}
