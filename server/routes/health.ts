import { sql } from 'kysely';
import { z } from 'zod';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';

/** `/healthz`: this process runs. `/readyz`: it can also serve, the database answers. */
export async function healthRoutes(app: App, deps: ServerDeps): Promise<void> {
  const schema = { tags: ['operations'], response: { 200: z.object({ status: z.literal('ok') }) } };
  app.get('/healthz', { schema }, async () => ({ status: 'ok' as const }));
  app.get('/readyz', { schema }, async (request) => {
    try {
      await sql`select 1`.execute(deps.db);
    } catch (error) {
      request.log.warn({ err: error }, 'the database does not answer');
      throw new ProblemError('unavailable', 'the database does not answer');
    }
    return { status: 'ok' as const };
  });
}
