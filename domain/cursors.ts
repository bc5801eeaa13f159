import type { z } from 'zod';
import { parseBoundedJson } from '../contracts/json.ts';

/** A page of a list. A cursor that this list did not make is the caller's mistake, never silently the first page. */
export type Listed<T> = { ok: true; items: T[]; nextCursor: string | null } | { ok: false; code: 'bad_cursor'; message: string };

export const badCursor = {
  ok: false,
  code: 'bad_cursor',
  message: 'the cursor was not made by this list; start again without one',
} as const;

/** The sort key of the last row of a page, as text that a caller hands back unread. */
export function encodeCursor(key: Record<string, string | number>): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** `null` for no cursor, `undefined` for one that is not `schema`. */
export function decodeCursor<T>(schema: z.ZodType<T>, cursor: string | undefined): T | null | undefined {
  if (cursor === undefined) return null;
  const json = parseBoundedJson(Buffer.from(cursor, 'base64url'), { maxBytes: 512, maxDepth: 2 });
  if (!json.ok) return undefined;
  const parsed = schema.safeParse(json.value);
  return parsed.success ? parsed.data : undefined;
}

/** Cuts the one row too many that tells whether there is a next page. */
export function toPage<Row, Item>(
  rows: Row[],
  limit: number,
  item: (row: Row) => Item,
  key: (row: Row) => Record<string, string | number>,
): Extract<Listed<Item>, { ok: true }> {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return { ok: true, items: kept.map(item), nextCursor: rows.length > limit && last !== undefined ? encodeCursor(key(last)) : null };
}
