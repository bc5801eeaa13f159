import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { z } from 'zod';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';
import { problemReplies } from '../problem-replies.ts';

/** A monitor asks every few seconds and must hear a no as soon as a yes. */
const answersWithinMs = 2_000;

const Ok = z.object({ status: z.literal('ok') });
const tags = ['operations'];

/** `/healthz`: this process runs. `/readyz`: it can also serve, the database answers. */
export async function healthRoutes(app: App, deps: Pick<ServerDeps, 'db'>): Promise<void> {
  const health = { tags, summary: 'This process runs', response: { 200: Ok, ...problemReplies() } };
  app.get('/healthz', { schema: health }, async () => ({ status: 'ok' as const }));
  const ready = { tags, summary: 'It can serve: the database answers', response: { 200: Ok, ...problemReplies('unavailable') } };
  app.get('/readyz', { schema: ready }, async (request) => {
    const asked = new AbortController();
    try {
      const late = pause(answersWithinMs, 'late' as const, { signal: asked.signal });
      const first = await Promise.race([sql`select 1`.execute(deps.db), late]);
      if (first !== 'late') return { status: 'ok' as const };
      request.log.warn({ withinMs: answersWithinMs }, 'the database does not answer in time');
    } catch (error) {
      request.log.warn({ err: error }, 'the database does not answer');
    } finally {
      asked.abort();
    }
    throw new ProblemError('unavailable', 'the database does not answer');
  });
}
