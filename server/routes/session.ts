import { z } from 'zod';
import { paths } from '../../contracts/paths.ts';
import { authenticate } from '../../domain/accounts.ts';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';
import { sessionCookie } from '../plugins/identity.ts';
import { problemReplies } from '../problem-replies.ts';

const thirtyDaysInSeconds = 30 * 24 * 3600;

/** Signing in with the token printed at start; the pages keep it in a cookie that scripts cannot read. */
export async function sessionRoutes(app: App, deps: ServerDeps): Promise<void> {
  const cookieName = sessionCookie(deps.installation);
  // Behind a proxy that ends TLS the request itself looks plain; the address people use tells.
  const secure = deps.publicUrl?.startsWith('https:') === true;
  app.post(
    paths.session,
    {
      // Guessing is hopeless (256 bits); the limit keeps the log readable.
      config: { rateLimit: { max: 60, timeWindow: '1 minute' } },
      schema: {
        tags: ['session'],
        summary: 'Sign in: the token that the server prints at start becomes a cookie that scripts cannot read',
        body: z.strictObject({ token: z.string().min(16).max(200) }),
        response: { 200: z.object({ account: z.string() }), ...problemReplies('unauthenticated', 'unsupported_media') },
      },
    },
    async (request, reply) => {
      const account = await authenticate(deps.db, request.body.token);
      if (account === null) throw new ProblemError('unauthenticated', 'the token is not known here');
      reply.setCookie(cookieName, request.body.token, {
        httpOnly: true,
        sameSite: 'strict',
        path: '/',
        secure,
        maxAge: thirtyDaysInSeconds,
      });
      return { account: account.name };
    },
  );
  const schema = {
    tags: ['session'],
    summary: 'Sign out',
    response: { 204: z.null().describe('Signed out'), ...problemReplies('cross_site') },
  };
  app.delete(paths.session, { schema }, async (_request, reply) => {
    reply.clearCookie(cookieName, { httpOnly: true, sameSite: 'strict', path: '/', secure });
    return reply.status(204).send(null);
  });
}
