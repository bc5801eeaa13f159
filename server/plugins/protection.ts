import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { ProblemError } from '../errors.ts';

/** Requests per minute and address; pages make about 10 for one visit, a poll every second makes 60. */
const requestsPerMinute = 1_200;

/** What a monitor or an engine's health check asks, by address instead of name; it tells nothing. */
const anyHost: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz']);

/** Headers, host check and rate limit. */
export async function installProtection(app: App, deps: Pick<ServerDeps, 'hostNames'>): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        objectSrc: ["'none'"],
        // No script of the pages may turn a string into markup; React with text nodes never needs to.
        requireTrustedTypesFor: ["'script'"],
      },
    },
    // The embedded default is plain HTTP on loopback; a proxy in front adds this header where there is TLS.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: '1 minute',
    // Built files come from memory or disk and cost nothing; counting them would lock out a whole office behind one address.
    allowList: (request) => request.url.startsWith('/assets/'),
  });
  app.addHook('onRequest', async (request, reply) => {
    // Named in every 5xx and in the log, so that an operator finds the one by the other.
    reply.header('x-request-id', request.id);
    // What an account sees must not be kept by a cache in between; pages and assets set their own.
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
    if (deps.hostNames.length === 0 || anyHost.has(request.routeOptions.url)) return;
    // A page elsewhere can point its own name at 127.0.0.1 and then read us as "same origin"; the Host header tells.
    if (!deps.hostNames.includes(request.hostname.toLowerCase())) {
      throw new ProblemError('forbidden_host', `this server does not answer to "${request.hostname.slice(0, 100)}"`);
    }
  });
}
