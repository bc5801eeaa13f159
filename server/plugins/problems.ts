import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import type { App } from '../app.ts';
import type { ServerDeps } from '../deps.ts';
import { type ProblemCode, ProblemError, problemBody, problemKinds } from '../errors.ts';

/** Turns every failure into problem+json. Messages of 5xx never leave: they may quote rows, paths or secrets. */
export function installProblems(app: App, deps: Pick<ServerDeps, 'pages'>): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof ProblemError) return send(request, reply, error.code, error.message, error.errors);
    if (hasZodFastifySchemaValidationErrors(error)) {
      const errors = error.validation.map((issue) => ({
        path: `${error.validationContext ?? 'request'}${issue.instancePath}`,
        message: issue.message ?? 'invalid',
      }));
      return send(request, reply, 'bad_request', errors[0] ? `${errors[0].path}: ${errors[0].message}` : 'invalid request', errors);
    }
    const code = isResponseSerializationError(error) ? 'internal' : codeOf(error.statusCode);
    if (problemKinds[code].status >= 500) {
      request.log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'request failed');
      return send(request, reply, code, `request ${request.id} failed`);
    }
    return send(request, reply, code, error.message);
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit({ max: 120, timeWindow: '1 minute' }) }, (request, reply) => {
    // A person who mistyped an address gets the pages, which say so in their own words; a program gets a problem.
    if (deps.pages !== null && isPageVisit(request)) return reply.status(404).sendFile('index.html');
    return send(request, reply, 'not_found', `there is nothing at ${request.method} ${pathOf(request)}`);
  });
}

/** Addresses that the router itself refuses (a broken %-sequence): no hook and no error handler runs for them. */
export function malformedRequest(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  send(request, reply, codeOf(error.statusCode), 'the address of the request is malformed');
}

function isPageVisit(request: FastifyRequest): boolean {
  const accepts = request.headers.accept?.includes('text/html') === true;
  return accepts && request.method === 'GET' && !request.url.startsWith('/api/');
}

/** Without the query: what somebody searched for or a token sent by mistake is not repeated. */
const pathOf = (request: FastifyRequest): string => (request.url.split('?', 1)[0] ?? '').slice(0, 200);

function send(request: FastifyRequest, reply: FastifyReply, code: ProblemCode, detail: string, errors?: ProblemError['errors']) {
  // Schema messages quote keys of the request, which may be megabytes long and very many.
  const shown = errors?.slice(0, 50).map(({ path, message }) => ({ path: path.slice(0, 300), message: message.slice(0, 500) }));
  const body = problemBody(code, detail.slice(0, 2000), pathOf(request), shown);
  if (body.status === 503) reply.header('retry-after', '5');
  return reply.status(body.status).type('application/problem+json').serializer(JSON.stringify).send(body);
}

const byStatus: Record<number, ProblemCode> = {
  401: 'unauthenticated',
  404: 'not_found',
  413: 'too_large',
  415: 'unsupported_media',
  429: 'too_many_requests',
};

/** The framework's own errors (body limit, content type, rate limit) carry a status; anything without one is ours. */
function codeOf(status: number | undefined): ProblemCode {
  if (status === undefined || status >= 500) return 'internal';
  return byStatus[status] ?? 'bad_request';
}
