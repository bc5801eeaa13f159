import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { CreateSubmission, PageQuery, pageOf, SubmissionView } from '../../contracts/api.ts';
import { Id, Slug } from '../../contracts/ids.ts';
import { paths } from '../../contracts/paths.ts';
import { queueName } from '../../contracts/queue.ts';
import { cancelSubmission, listSubmissions, showSubmission } from '../../domain/submission-views.ts';
import { type Created, createSubmission } from '../../domain/submissions.ts';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';
import { pageReply } from '../page-reply.ts';
import { IdempotencyKey } from '../idempotency-key.ts';
import { refuseVisitors, requireActor } from '../plugins/identity.ts';
import { needsToken, problemReplies } from '../problem-replies.ts';
import { readUpload } from '../upload.ts';

const tags = ['submissions'];
const queueWithinMs = 2_000;
const Params = z.object({ id: Id });
const createProblems = [
  'unauthenticated',
  'cross_site',
  'not_found',
  'idempotency_conflict',
  'too_large',
  'unsupported_media',
  'invalid_submission',
] as const;
const cancelProblems = { unknown_evaluation: 'not_found', not_yours: 'not_yours', already_done: 'conflict' } as const;

/** Submissions: create with JSON or a file, list, show, cancel. */
export async function submissionRoutes(app: App, deps: ServerDeps): Promise<void> {
  addCreate(app, deps);
  app.get(
    paths.submissions,
    {
      schema: {
        tags,
        summary: 'List submissions, newest first',
        querystring: PageQuery.extend({ challenge: Slug.optional(), mine: z.enum(['true', 'false']).optional() }),
        response: { 200: pageOf(SubmissionView), ...problemReplies('unauthenticated') },
      },
    },
    async (request) => {
      const { challenge, mine, cursor, limit } = request.query;
      const accountId = mine === 'true' ? requireActor(request).id : undefined;
      return pageReply(await listSubmissions(deps.db, { slug: challenge, accountId, cursor, limit }), 'there are no submissions');
    },
  );
  app.get(
    '/api/submissions/:id',
    {
      schema: {
        tags,
        summary: 'One submission with its evaluation',
        params: Params,
        response: { 200: SubmissionView, ...problemReplies('not_found') },
      },
    },
    (request) => shown(deps, request.params.id),
  );
  app.post(
    '/api/submissions/:id/cancel',
    {
      preParsing: refuseVisitors,
      schema: {
        tags,
        summary: 'Cancel it; free before its first model call and first result',
        security: needsToken,
        params: Params,
        response: { 200: SubmissionView, ...problemReplies('unauthenticated', 'cross_site', 'not_yours', 'not_found', 'conflict') },
      },
    },
    async (request) => {
      const cancelled = await cancelSubmission(deps.db, request.params.id, requireActor(request));
      if (!cancelled.ok) throw new ProblemError(cancelProblems[cancelled.code], cancelled.message);
      return shown(deps, request.params.id);
    },
  );
}

/** JSON bodies and multipart uploads share one route: they differ only in how the document is read. */
function addCreate(app: App, deps: ServerDeps): void {
  app.post(
    '/api/challenges/:slug/submissions',
    {
      schema: {
        tags,
        summary: 'Submit: a JSON document, or multipart/form-data with `file` and optional `title` and `phase`',
        security: needsToken,
        params: z.object({ slug: Slug }),
        headers: z.looseObject({ 'idempotency-key': IdempotencyKey.optional() }),
        body: CreateSubmission,
        response: {
          201: SubmissionView.describe('Stored; its evaluation has begun'),
          200: SubmissionView.describe('The submission that an earlier request with this Idempotency-Key made'),
          ...problemReplies(...createProblems),
        },
      },
      preParsing: refuseVisitors,
      // A file upload has no JSON body to validate; `readUpload` makes one, checked by the same schema.
      preValidation: async (request) => {
        if (request.isMultipart()) request.body = await readUpload(request, deps, (request.params as { slug: string }).slug);
      },
    },
    async (request, reply) => {
      const account = requireActor(request);
      const { title, phase, submission } = request.body;
      const created = await createSubmission(deps.db, deps.blobs, deps.installation, {
        account,
        slug: request.params.slug,
        phase,
        title,
        document: submission,
        idempotencyKey: request.headers['idempotency-key'],
      });
      if (!created.ok) throw refused(created);
      if (created.created) await publish(deps, created.evaluationId);
      return reply.status(created.created ? 201 : 200).send(await shown(deps, created.submissionId));
    },
  );
}

/** The row is stored; a queue that cannot be reached now is made good by the sweeper, so the request has succeeded. */
async function publish({ queues, log }: Pick<ServerDeps, 'queues' | 'log'>, evaluationId: string): Promise<void> {
  const failed = (error: unknown) =>
    log.warn({ err: error, evaluationId }, 'the queue cannot be reached; the sweeper will send this evaluation');
  const published = queues.publish(queueName.screen, { evaluationId }).catch(failed);
  // A store that takes the connection and says nothing must not hold the participant's answer.
  const waited = new AbortController();
  const late = pause(queueWithinMs, undefined, { signal: waited.signal }).then(
    () => failed(new Error(`no answer within ${queueWithinMs} ms`)),
    () => undefined,
  );
  await Promise.race([published, late]);
  waited.abort();
}

function refused(created: Extract<Created, { ok: false }>): ProblemError {
  switch (created.code) {
    case 'unknown_challenge':
      return new ProblemError('not_found', created.message);
    case 'idempotency_key_reused':
      return new ProblemError('idempotency_conflict', created.message);
    case 'unknown_phase':
    case 'kind_not_accepted':
      return new ProblemError('invalid_submission', created.message);
  }
}

async function shown(deps: ServerDeps, id: string): Promise<SubmissionView> {
  const view = await showSubmission(deps.db, id);
  if (view === null) throw new ProblemError('not_found', 'there is no such submission');
  return view;
}
