/**
 * PostgreSQL's text and jsonb hold neither U+0000 nor half a surrogate pair, and what people and models write contains
 * both; an insert of ours must not fail on it. Each becomes U+FFFD, so that it stays visible that something stood there.
 * The bytes as they came are in the blob; this form is for rows only and never graded.
 */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD');
}

/** The same for every string and key inside a JSON value. Depth is bounded where the value was parsed. */
export function storableJson<T>(value: T): T {
  return walk(value) as T;
}

function walk(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(walk);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storableText(key), walk(inner)]));
}
