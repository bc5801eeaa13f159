import type { Listed } from '../domain/cursors.ts';
import { ProblemError } from './errors.ts';

/** A page of a list as the API answers it; a cursor of another list is the client's mistake. */
export function pageReply<T>(listed: Listed<T> | null, missing: string): { items: T[]; nextCursor: string | null } {
  if (listed === null) throw new ProblemError('not_found', missing);
  if (!listed.ok) throw new ProblemError('bad_request', listed.message);
  return { items: listed.items, nextCursor: listed.nextCursor };
}
