import { Problem } from '../contracts/api.ts';
import { type ProblemCode, problemKinds } from './errors.ts';

/** What any route may answer. */
const everywhere: readonly ProblemCode[] = ['bad_request', 'forbidden_host', 'too_many_requests', 'internal'];

/**
 * The problem replies of a route for its OpenAPI description: those every route may give and the named ones, grouped by
 * status. Typed as `object` so that a handler's own return type stays as strict as its success schema.
 */
export function problemReplies(...codes: ProblemCode[]): object {
  const described: Record<number, { description: string; content: Record<string, { schema: typeof Problem }> }> = {};
  for (const code of new Set([...everywhere, ...codes])) {
    const { status, title } = problemKinds[code];
    const said = `\`${code}\`: ${title}`;
    const before = described[status]?.description;
    described[status] = {
      description: before === undefined ? said : `${before}; ${said}`,
      content: { 'application/problem+json': { schema: Problem } },
    };
  }
  return described;
}

/** OpenAPI: this route needs the bearer token (or the session cookie of the pages). */
export const needsToken = [{ token: [] }];
