import { z } from 'zod';
import { StoredEvent } from '../../contracts/events.ts';
import { Id } from '../../contracts/ids.ts';
import { evaluationExists } from '../../domain/evaluation-views.ts';
import { readEvents } from '../../domain/events/read.ts';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';
import { streamEvents } from '../event-stream.ts';

const Params = z.object({ id: Id });
const Query = z.object({ after: z.coerce.number().int().min(0).optional() });

/** One evaluation's events: as SSE (resumable with Last-Event-ID), or as JSON with `?after=` for pollers. */
export async function eventRoutes(app: App, deps: ServerDeps): Promise<void> {
  app.get(
    '/api/evaluations/:id/events',
    {
      schema: {
        tags: ['evaluations'],
        summary: 'Events of an evaluation; text/event-stream unless JSON is asked for',
        params: Params,
        querystring: Query,
        response: { 200: z.object({ events: z.array(StoredEvent) }) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (!(await evaluationExists(deps.db, id))) throw new ProblemError('not_found', 'there is no such evaluation');
      const after = request.query.after ?? lastEventId(request.headers['last-event-id']);
      if (request.headers.accept?.includes('text/event-stream') !== true) return { events: await readEvents(deps.db, id, after, 500) };
      await streamEvents({ deps, evaluationId: id, after, reply, closed: request.raw });
      return reply;
    },
  );
}

function lastEventId(header: string | string[] | undefined): number {
  if (header === undefined) return 0;
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header))
    throw new ProblemError('bad_request', 'Last-Event-ID must be a whole number');
  return Number(header);
}
