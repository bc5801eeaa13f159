import { z } from 'zod';
import { PageQuery, pageOf } from '../../contracts/api.ts';
import { Id, Slug } from '../../contracts/ids.ts';
import { RegradingItem, RegradingView } from '../../contracts/regrading.ts';
import { applyRegrading } from '../../domain/regrading-apply.ts';
import { listRegradingItems, listRegradings, showRegrading } from '../../domain/regrading-views.ts';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';
import { pageReply } from '../page-reply.ts';
import { refuseVisitors, requireActor } from '../plugins/identity.ts';
import { needsToken, problemReplies } from '../problem-replies.ts';

const tags = ['regradings'];
const Params = z.object({ id: Id });
const ApplyBody = z.strictObject({
  /** Also makes the newer version the one that new submissions are judged by. */
  makeCurrent: z.boolean().default(false),
});
const applyProblems = { unknown_regrading: 'not_found', not_complete: 'not_found', forged: 'conflict' } as const;

/**
 * Previews of regradings, for whoever runs this server: they hold exact scores and name hidden cases. They are made by
 * `collective regrade preview`, because a server holds neither sandboxes nor the keys of judges; applying one grades nothing.
 */
export async function regradingRoutes(app: App, deps: ServerDeps): Promise<void> {
  app.get(
    '/api/challenges/:slug/regradings',
    {
      preParsing: refuseVisitors,
      schema: {
        tags,
        summary: 'Previews of regradings of a challenge, newest first',
        security: needsToken,
        params: z.object({ slug: Slug }),
        querystring: PageQuery,
        response: { 200: pageOf(RegradingView), ...problemReplies('unauthenticated', 'not_found') },
      },
    },
    async (request) => pageReply(await listRegradings(deps.db, request.params.slug, request.query), 'there is no such challenge'),
  );
  app.get(
    '/api/regradings/:id',
    {
      preParsing: refuseVisitors,
      schema: {
        tags,
        summary: 'One preview with its totals, and whether it was applied',
        security: needsToken,
        params: Params,
        response: { 200: RegradingView, ...problemReplies('unauthenticated', 'not_found') },
      },
    },
    (request) => shown(deps, request.params.id),
  );
  app.get(
    '/api/regradings/:id/items',
    {
      preParsing: refuseVisitors,
      schema: {
        tags,
        summary: 'Its evaluations: verdicts before and after, and the cases that change',
        security: needsToken,
        params: Params,
        querystring: PageQuery,
        response: { 200: pageOf(RegradingItem), ...problemReplies('unauthenticated', 'not_found') },
      },
    },
    async (request) => pageReply(await listRegradingItems(deps.db, request.params.id, request.query), 'there is no such preview'),
  );
  app.post(
    '/api/regradings/:id/apply',
    {
      preParsing: refuseVisitors,
      schema: {
        tags,
        summary: 'Apply it as it was previewed; what has another verdict by now is left alone. Again does nothing more',
        security: needsToken,
        params: Params,
        body: ApplyBody,
        response: { 200: RegradingView, ...problemReplies('unauthenticated', 'cross_site', 'not_found', 'conflict') },
      },
    },
    async (request) => {
      const { id: accountId } = requireActor(request);
      const applied = await applyRegrading(deps.db, request.params.id, {
        accountId,
        passStands: deps.passStands,
        makeCurrent: request.body.makeCurrent,
      });
      if (!applied.ok) throw new ProblemError(applyProblems[applied.code], applied.message);
      return shown(deps, request.params.id);
    },
  );
}

async function shown(deps: ServerDeps, id: string): Promise<RegradingView> {
  const view = await showRegrading(deps.db, id);
  if (view === null) throw new ProblemError('not_found', 'there is no such preview');
  return view;
}
