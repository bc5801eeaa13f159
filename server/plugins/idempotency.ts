import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../errors.ts';

/**
 * The Idempotency-Key of a request. The domain stores it with the row it makes, in one transaction and bound to what was
 * asked, so a repeated POST finds that row again even if the first reply was lost.
 */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const given = request.headers['idempotency-key'];
  if (given === undefined) return undefined;
  if (typeof given !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(given)) {
    throw new ProblemError('bad_request', 'Idempotency-Key must be 1 to 200 printable characters without spaces');
  }
  return given;
}
