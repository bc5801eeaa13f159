/** Every path of the API in one place, for server, CLI and pages. Apart from `api.ts` so that the pages load no schemas with it. */
export const paths = {
  challenges: '/api/challenges',
  challenge: (slug: string) => `/api/challenges/${encodeURIComponent(slug)}`,
  rubricSource: (slug: string) => `/api/challenges/${encodeURIComponent(slug)}/rubric`,
  standings: (slug: string) => `/api/challenges/${encodeURIComponent(slug)}/standings`,
  submissionsOf: (slug: string) => `/api/challenges/${encodeURIComponent(slug)}/submissions`,
  submissions: '/api/submissions',
  submission: (id: string) => `/api/submissions/${encodeURIComponent(id)}`,
  cancel: (id: string) => `/api/submissions/${encodeURIComponent(id)}/cancel`,
  evaluation: (id: string) => `/api/evaluations/${encodeURIComponent(id)}`,
  cases: (id: string) => `/api/evaluations/${encodeURIComponent(id)}/cases`,
  case: (id: string, caseId: string, trial: number) =>
    `/api/evaluations/${encodeURIComponent(id)}/cases/${encodeURIComponent(caseId)}/${trial}`,
  artifact: (id: string, caseId: string, trial: number, index: number) =>
    `/api/evaluations/${encodeURIComponent(id)}/cases/${encodeURIComponent(caseId)}/${trial}/artifacts/${index}`,
  judgeAudits: (id: string) => `/api/evaluations/${encodeURIComponent(id)}/judge-audits`,
  events: (id: string) => `/api/evaluations/${encodeURIComponent(id)}/events`,
  regradingsOf: (slug: string) => `/api/challenges/${encodeURIComponent(slug)}/regradings`,
  regrading: (id: string) => `/api/regradings/${encodeURIComponent(id)}`,
  regradingItems: (id: string) => `/api/regradings/${encodeURIComponent(id)}/items`,
  applyRegrading: (id: string) => `/api/regradings/${encodeURIComponent(id)}/apply`,
  session: '/api/session',
  system: '/api/system',
} as const;
