import type { Problem } from '../../../contracts/api.ts';

/** A request that failed, with the problem the server described or, where it could not, what is known here. */
export class ApiProblem extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ApiProblem';
    this.problem = problem;
  }
}

export interface CallOptions {
  method?: 'GET' | 'POST' | 'DELETE';
  body?: object;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/**
 * Calls the API on the page's own origin and returns the parsed body. `T` is the contract's type for that path; the
 * server validates what it sends against the same schema, so it is not parsed a second time here.
 * Throws `ApiProblem` for every failure, also when nothing answers.
 */
export async function call<T>(path: string, options: CallOptions = {}): Promise<T> {
  const { method = 'GET', body, headers = {}, signal } = options;
  const init: RequestInit = {
    method,
    headers: { accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
    ...(signal ? { signal } : {}),
  };
  const response = await fetch(path, init).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new ApiProblem(unreachable);
  });
  if (!response.ok) throw new ApiProblem(await readProblem(response));
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** The problem behind anything that was thrown; an unexpected error is the platform's. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiProblem) return error.problem;
  return platformProblem('page_error', 'The page itself failed', error instanceof Error ? error.message : String(error));
}

async function readProblem(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const value: unknown = JSON.parse(text);
    if (isProblem(value)) return value;
  } catch {
    // Not JSON: a proxy or a stopped server answered. Said below in our own words.
  }
  return {
    ...platformProblem('unexpected_answer', 'The server gave an unexpected answer', `HTTP ${response.status}`),
    status: response.status,
  };
}

function isProblem(value: unknown): value is Problem {
  return value !== null && typeof value === 'object' && 'code' in value && 'detail' in value && 'faultOf' in value && 'advice' in value;
}

function platformProblem(code: string, title: string, detail: string): Problem {
  return { type: 'about:blank', title, status: 0, code, detail, faultOf: 'platform', advice: 'Try again; if it stays, tell the operator.' };
}

const unreachable: Problem = {
  ...platformProblem('unreachable', 'The server does not answer', 'The server could not be reached.'),
  advice: 'See that it is running and that you are connected, then try again.',
};
