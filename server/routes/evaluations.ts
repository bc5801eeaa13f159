import { z } from 'zod';
import { CaseDetail, CaseView, EvaluationView, PageQuery, pageOf } from '../../contracts/api.ts';
import { Id } from '../../contracts/ids.ts';
import { Case } from '../../contracts/rubric.ts';
import { listCases, readArtifact, showCase } from '../../domain/case-views.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';
import { pageReply } from '../page-reply.ts';
import { problemReplies } from '../problem-replies.ts';

const Params = z.object({ id: Id });
const CaseParams = Params.extend({ caseId: Case.shape.id, trial: z.coerce.number().int().min(0).max(100) });
const ArtifactParams = CaseParams.extend({ index: z.coerce.number().int().min(0).max(63) });
const CasesQuery = PageQuery.extend({
  /** With the grades behind an earlier verdict, counted from 1; those that count when absent. */
  verdict: z.coerce.number().int().min(1).max(1_000_000).optional(),
});
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
        querystring: CasesQuery,
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
  addArtifact(app, deps);
}

/** The one way in which a file that a participant's program made leaves this server: as a download, never to be shown. */
function addArtifact(app: App, deps: ServerDeps): void {
  app.get(
    '/api/evaluations/:id/cases/:caseId/:trial/artifacts/:index',
    {
      schema: {
        tags,
        summary: 'Download one file that a public case left behind, by its place in the list',
        params: ArtifactParams,
        response: {
          200: {
            description: 'The bytes as the program wrote them: untrusted',
            content: { 'application/octet-stream': { schema: z.any().meta({ type: 'string', format: 'binary' }) } },
          },
          ...problemReplies('not_found'),
        },
      },
    },
    async (request, reply) => {
      const { id, caseId, trial, index } = request.params;
      const artifact = await readArtifact(deps.db, deps.blobs, id, { caseId, trial, index });
      if (artifact === null) throw new ProblemError('not_found', 'there is no such file, or it is not shown');
      reply.header('content-disposition', `attachment; filename="${downloadName(artifact.record.path)}"`);
      reply.header('content-security-policy', "default-src 'none'; sandbox");
      reply.header('x-content-type-options', 'nosniff');
      return reply.type('application/octet-stream').send(artifact.bytes);
    },
  );
}

/** The last part of a path that a program chose: what no system takes for a hidden file, a command or a second header. */
function downloadName(path: string): string {
  const name = path
    .slice(path.lastIndexOf('/') + 1)
    .replaceAll(/[^A-Za-z0-9._-]/g, '_')
    .slice(-100)
    .replace(/^[.-]+/, '');
  return name === '' ? 'artifact' : name;
}
