import { z } from 'zod';
import { PageQuery, pageOf, StandingView } from '../../contracts/api.ts';
import { Slug } from '../../contracts/ids.ts';
import { listStandings } from '../../domain/standings.ts';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { pageReply } from '../page-reply.ts';
import { problemReplies } from '../problem-replies.ts';

const Query = PageQuery.extend({ phase: Slug.optional() });

/** The ranking of one phase of a challenge. */
export async function standingRoutes(app: App, deps: ServerDeps): Promise<void> {
  app.get(
    '/api/challenges/:slug/standings',
    {
      schema: {
        tags: ['standings'],
        summary: 'Standing of a phase, best first',
        params: z.object({ slug: Slug }),
        querystring: Query,
        response: { 200: pageOf(StandingView), ...problemReplies('not_found') },
      },
    },
    async (request) => {
      const { phase, cursor, limit } = request.query;
      return pageReply(await listStandings(deps.db, request.params.slug, { phase, cursor, limit }), 'there is no such challenge or phase');
    },
  );
}
