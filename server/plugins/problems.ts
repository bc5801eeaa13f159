import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import type { App } from '../app.ts';
import { type ProblemCode, ProblemError, problemBody, problemKinds } from '../errors.ts';

/** Turns every failure into problem+json. Messages of 5xx never leave: they may quote rows, paths or secrets. */
export function installProblems(app: App): void {
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
      request.log.error({ err: error }, 'request failed');
      return send(request, reply, code, `request ${request.id} failed`);
    }
    return send(request, reply, code, error.message);
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit({ max: 120, timeWindow: '1 minute' }) }, (request, reply) =>
    send(request, reply, 'not_found', `there is nothing at ${request.method} ${request.url.slice(0, 200)}`),
  );
}

function send(request: FastifyRequest, reply: FastifyReply, code: ProblemCode, detail: string, errors?: ProblemError['errors']) {
  const body = problemBody(code, detail.slice(0, 2000), request.url.slice(0, 500), errors?.slice(0, 50));
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
