import canonicalize from 'canonicalize';
import type { Json } from './json.ts';

/**
 * The one byte form of a JSON value (RFC 8785): sorted keys, shortest numbers. Hashes are always taken over this.
 * Throws on values that JSON cannot hold (NaN, Infinity): a caller that has one has a bug.
 */
export function canonicalJson(value: Json | object): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('value has no JSON form');
  return text;
}
