import cookie from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import type { App } from '../app.ts';
import { type Account, authenticate } from '../../domain/accounts.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null for a visitor. The seam where users, organizations and scoped keys come in. */
    actor: Account | null;
  }
}

/** Cookies ignore ports: two installations on one machine need two names, or signing in to one signs out of the other. */
export const sessionCookie = (installation: ServerDeps['installation']): string =>
  `collective_session_${installation.sub('name of the session cookie').slice(0, 8)}`;

/**
 * Finds out who asks: a bearer token (programs) or the session cookie (pages). The cookie is HttpOnly and
 * SameSite=Strict; a state-changing request that carries it must also say it comes from our own pages, because a
 * site on another port of localhost counts as the same site. Only API routes are asked: pages and health answer
 * without the database.
 */
export async function installIdentity(app: App, deps: Pick<ServerDeps, 'db' | 'installation' | 'publicUrl'>): Promise<void> {
  const cookieName = sessionCookie(deps.installation);
  await app.register(cookie);
  app.decorateRequest('actor', null);
  app.addHook('preParsing', async (request) => {
    if (request.routeOptions.url?.startsWith('/api/') !== true) return;
    const bearer = bearerOf(request);
    const token = bearer ?? request.cookies[cookieName];
    if (token === undefined) return;
    request.actor = await authenticate(deps.db, token);
    if (bearer !== undefined && request.actor === null) throw new ProblemError('unauthenticated', 'the bearer token is not known here');
    if (bearer === undefined && request.actor !== null && changesState(request) && !fromOurPages(request, deps.publicUrl)) {
      throw new ProblemError('cross_site', 'a signed-in request must come from the pages of this server');
    }
  });
}

/** The account of a request that needs one. */
export function requireActor(request: FastifyRequest): Account {
  if (request.actor === null) throw new ProblemError('unauthenticated', 'this needs an account');
  return request.actor;
}

/** For routes that need an account: as `preParsing`, so that a visitor is refused before a body is read. */
export async function refuseVisitors(request: FastifyRequest): Promise<void> {
  requireActor(request);
}

function bearerOf(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const match = /^Bearer ([A-Za-z0-9_-]{16,200})$/i.exec(header);
  if (match === null) throw new ProblemError('unauthenticated', 'the Authorization header is not "Bearer <token>"');
  return match[1];
}

const changesState = (request: FastifyRequest): boolean => request.method !== 'GET' && request.method !== 'HEAD';

/** Browsers send Origin with every state-changing request and pages cannot forge it. */
function fromOurPages(request: FastifyRequest, publicUrl: string | null): boolean {
  const given = request.headers.origin;
  if (given === undefined || !URL.canParse(given)) return false;
  const origin = new URL(given);
  // Parsed under the origin's scheme, so that a default port may be written out or not.
  const own = `${origin.protocol}//${request.headers.host ?? ''}`;
  if (URL.canParse(own) && new URL(own).host === origin.host) return true;
  return publicUrl !== null && origin.origin === new URL(publicUrl).origin;
}
