import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController, type RawServerDefault } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { ServerDeps } from './deps.ts';
import { installBodies } from './plugins/bodies.ts';
import { installIdentity } from './plugins/identity.ts';
import { installOpenApi } from './plugins/openapi.ts';
import { installPages } from './plugins/pages.ts';
import { installProblems, malformedRequest } from './plugins/problems.ts';
import { installProtection } from './plugins/protection.ts';
import { challengeRoutes } from './routes/challenges.ts';
import { evaluationRoutes } from './routes/evaluations.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { judgeAuditRoutes } from './routes/judge-audits.ts';
import { regradingRoutes } from './routes/regradings.ts';
import { sessionRoutes } from './routes/session.ts';
import { standingRoutes } from './routes/standings.ts';
import { submissionRoutes } from './routes/submissions.ts';
import { systemRoutes } from './routes/system.ts';

/** What routes are written against: fastify with zod schemas. */
export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

/**
 * Builds the HTTP application: plugins, then routes, in an explicit list. It does not listen, so tests call it with
 * `inject` and a database of their own. Routes hold no rules: they parse, call one domain function and answer.
 *
 * The way of a request: host check and security headers, rate limit (onRequest) → who asks (preParsing, so that a flood
 * is turned away before it costs a query, and a stranger before a body is read) → body, bounded → schema → route.
 */
export async function buildApp(deps: ServerDeps): Promise<App> {
  const logger: FastifyBaseLogger = deps.log;
  const app: App = fastify({
    loggerInstance: logger,
    genReqId: () => randomUUID(),
    // A line per request would drown what matters; failures are logged where they are answered.
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: 300 },
    frameworkErrors: malformedRequest,
    // Idle time is not bounded here, or quiet event streams would be cut; receiving a whole request is.
    connectionTimeout: 0,
    requestTimeout: 60_000,
    keepAliveTimeout: 20_000,
    // Requests that are being answered are finished; event streams are ended by their own route.
    forceCloseConnections: 'idle',
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  await installProtection(app, deps);
  installProblems(app, deps);
  await installBodies(app);
  await installIdentity(app, deps);
  await installOpenApi(app, deps);
  for (const routes of [
    healthRoutes,
    sessionRoutes,
    systemRoutes,
    challengeRoutes,
    submissionRoutes,
    evaluationRoutes,
    judgeAuditRoutes,
    eventRoutes,
    standingRoutes,
    regradingRoutes,
  ]) {
    // Registered one level down, so that the OpenAPI plugin has seen them all when it writes the document.
    await app.register(async (scope) => routes(scope.withTypeProvider<ZodTypeProvider>(), deps));
  }
  await installPages(app, deps);
  closeConnectionsWhenClosing(app);
  await app.ready();
  return app;
}

/** Requests under way when the server closes are answered; their connections must not stay open for further ones. */
function closeConnectionsWhenClosing(app: App): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
}
