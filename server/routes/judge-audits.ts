import { z } from 'zod';
import { Id } from '../../contracts/ids.ts';
import { CreateJudgeAudit, JudgeAuditView } from '../../contracts/judge-audits.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import { listJudgeAudits, recordJudgeAudit } from '../../domain/judge-audits.ts';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';
import { IdempotencyKey } from '../idempotency-key.ts';
import { refuseVisitors, requireActor } from '../plugins/identity.ts';
import { needsToken, problemReplies } from '../problem-replies.ts';

const tags = ['judge audits'];
const Params = z.object({ id: Id });
const path = '/api/evaluations/:id/judge-audits';
const problems = {
  unknown_evaluation: 'not_found',
  no_such_grade: 'not_found',
  own_submission: 'conflict',
  not_done: 'conflict',
  no_award: 'conflict',
  already_audited: 'conflict',
  idempotency_key_reused: 'idempotency_conflict',
} as const;

/** What people say of judges' grades, for whoever runs this server: it names hidden cases. */
export async function judgeAuditRoutes(app: App, deps: ServerDeps): Promise<void> {
  app.get(
    path,
    {
      preParsing: refuseVisitors,
      schema: {
        tags,
        summary: 'What people said of the grades that judges gave it',
        security: needsToken,
        params: Params,
        response: { 200: z.object({ items: z.array(JudgeAuditView) }), ...problemReplies('unauthenticated', 'not_found') },
      },
    },
    async (request) => {
      const { id } = request.params;
      if ((await showEvaluation(deps.db, id)) === null) throw new ProblemError('not_found', 'there is no such evaluation');
      return { items: await listJudgeAudits(deps.db, id) };
    },
  );
  app.post(
    path,
    {
      preParsing: refuseVisitors,
      schema: {
        tags,
        summary: 'Say whether a grade of a judge is right, or, without `grade`, whether the award is',
        security: needsToken,
        params: Params,
        headers: z.looseObject({ 'idempotency-key': IdempotencyKey.optional() }),
        body: CreateJudgeAudit,
        response: {
          201: z.object({ id: Id }).describe('Recorded for good'),
          200: z.object({ id: Id }).describe('The audit that an earlier request with this Idempotency-Key made'),
          ...problemReplies('unauthenticated', 'cross_site', 'not_found', 'conflict', 'idempotency_conflict'),
        },
      },
    },
    async (request, reply) => {
      const recorded = await recordJudgeAudit(deps.db, {
        account: requireActor(request),
        evaluationId: request.params.id,
        audit: request.body,
        idempotencyKey: request.headers['idempotency-key'],
      });
      if (!recorded.ok) throw new ProblemError(problems[recorded.code], recorded.message);
      return reply.status(recorded.created ? 201 : 200).send({ id: recorded.id });
    },
  );
}
