import { z } from 'zod';
import { StoredEvent } from '../../contracts/events.ts';
import { Id } from '../../contracts/ids.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import { readEvents } from '../../domain/events/read.ts';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';
import { streamBounds, streamEvents } from '../event-stream.ts';
import { problemReplies } from '../problem-replies.ts';

const Params = z.object({ id: Id });
const Query = z.object({ after: z.coerce.number().int().min(0).optional() });
const Events = z.object({ events: z.array(StoredEvent) });
const pollBatch = 500;

/** One evaluation's events: as SSE (resumable with Last-Event-ID), or as JSON with `?after=` for pollers. */
export async function eventRoutes(app: App, deps: ServerDeps): Promise<void> {
  const bounds = { ...streamBounds, ...deps.streams };
  const closing = new AbortController();
  const open = new Set<Promise<void>>();
  app.addHook('preClose', async () => {
    closing.abort();
    await Promise.all(open);
  });
  app.get(
    '/api/evaluations/:id/events',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['evaluations'],
        summary: 'Events of an evaluation after the given one: a stream with Accept: text/event-stream, else one JSON page',
        description:
          'Each event has the id `seq`; a stream goes on after `Last-Event-ID`, else after `after`, else from the start. It ends when the evaluation is done; a reader who has everything by then is answered 204.',
        params: Params,
        querystring: Query,
        response: {
          200: {
            description: 'Events, oldest first',
            content: { 'application/json': { schema: Events }, 'text/event-stream': { schema: z.string() } },
          },
          204: z.null().describe('Done, and there is nothing after the given event'),
          ...problemReplies('not_found', 'unavailable'),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const evaluation = await showEvaluation(deps.db, id);
      if (evaluation === null) throw new ProblemError('not_found', 'there is no such evaluation');
      // A browser that reconnects repeats the address it was given and says in the header how far it got.
      const after = lastEventId(request.headers['last-event-id']) ?? request.query.after ?? 0;
      if (request.headers.accept?.includes('text/event-stream') !== true)
        return { events: await readEvents(deps.db, id, after, pollBatch) };
      // 204 is the one answer after which a browser does not reconnect.
      if (evaluation.status === 'done' && after >= evaluation.lastEventSeq) return reply.status(204).send(null);
      if (open.size >= bounds.mostOpen)
        throw new ProblemError('unavailable', 'too many event streams are open; ask with ?after= meanwhile');
      const stream = streamEvents({ deps, evaluationId: id, after, reply, closing: closing.signal, bounds });
      open.add(stream);
      await stream.finally(() => open.delete(stream));
      return reply;
    },
  );
}

function lastEventId(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header))
    throw new ProblemError('bad_request', 'Last-Event-ID must be a whole number');
  return Number(header);
}
