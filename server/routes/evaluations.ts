import { z } from 'zod';
import { CaseDetail, CaseView, EvaluationView, PageQuery, pageOf } from '../../contracts/api.ts';
import { Id } from '../../contracts/ids.ts';
import { Case } from '../../contracts/rubric.ts';
import { listCases, showCase } from '../../domain/case-views.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';
import { pageReply } from '../page-reply.ts';
import { problemReplies } from '../problem-replies.ts';

const Params = z.object({ id: Id });
const CaseParams = Params.extend({ caseId: Case.shape.id, trial: z.coerce.number().int().min(0).max(100) });
const tags = ['evaluations'];

/** Evaluations with what the feedback policy shows of their cases and grades. */
export async function evaluationRoutes(app: App, deps: ServerDeps): Promise<void> {
  app.get(
    '/api/evaluations/:id',
    { schema: { tags, summary: 'One evaluation', params: Params, response: { 200: EvaluationView, ...problemReplies('not_found') } } },
    async (request) => {
      const view = await showEvaluation(deps.db, request.params.id);
      if (view === null) throw new ProblemError('not_found', 'there is no such evaluation');
      return view;
    },
  );
  app.get(
    '/api/evaluations/:id/cases',
    {
      schema: {
        tags,
        summary: 'Its public cases with their grades',
        params: Params,
        querystring: PageQuery,
        response: { 200: pageOf(CaseView), ...problemReplies('not_found') },
      },
    },
    async (request) => pageReply(await listCases(deps.db, request.params.id, request.query), 'there is no such evaluation'),
  );
  app.get(
    '/api/evaluations/:id/cases/:caseId/:trial',
    {
      schema: {
        tags,
        summary: 'One public case with input, transcript and log',
        params: CaseParams,
        response: { 200: CaseDetail, ...problemReplies('not_found') },
      },
    },
    async (request) => {
      const { id, caseId, trial } = request.params;
      const detail = await showCase(deps.db, deps.blobs, id, caseId, trial);
      if (detail === null) throw new ProblemError('not_found', 'there is no such case, or it is not shown');
      return detail;
    },
  );
}
