import { z } from 'zod';
import { paths } from '../../contracts/paths.ts';
import { authenticate } from '../../domain/accounts.ts';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';
import { sessionCookie } from '../plugins/identity.ts';

const thirtyDaysInSeconds = 30 * 24 * 3600;

/** Signing in with the token printed at start; the pages keep it in a cookie that scripts cannot read. */
export async function sessionRoutes(app: App, deps: ServerDeps): Promise<void> {
  app.post(
    paths.session,
    {
      // Guessing is hopeless (256 bits); the limit keeps the log readable.
      config: { rateLimit: { max: 20, timeWindow: '1 minute' } },
      schema: {
        tags: ['session'],
        body: z.object({ token: z.string().min(16).max(200) }),
        response: { 200: z.object({ account: z.string() }) },
      },
    },
    async (request, reply) => {
      const account = await authenticate(deps.db, request.body.token);
      if (account === null) throw new ProblemError('unauthenticated', 'the token is not known here');
      reply.setCookie(sessionCookie, request.body.token, {
        httpOnly: true,
        sameSite: 'strict',
        path: '/',
        secure: request.protocol === 'https',
        maxAge: thirtyDaysInSeconds,
      });
      return { account: account.name };
    },
  );
  app.delete(paths.session, { schema: { tags: ['session'], response: { 204: z.null() } } }, async (_request, reply) => {
    reply.clearCookie(sessionCookie, { path: '/' });
    return reply.status(204).send(null);
  });
}
