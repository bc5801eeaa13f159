import { z } from 'zod';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Any JSON value. Depth and size are bounded before this point by `parseBoundedJson`. */
export const Json: z.ZodType<Json> = z.json().register(z.globalRegistry, { id: 'Json' });

export interface JsonBounds {
  /** Largest accepted text, in bytes of UTF-8. */
  maxBytes: number;
  /** Deepest accepted nesting of arrays and objects. */
  maxDepth: number;
  /**
   * Most values (members, elements, containers) in the whole text. Bytes alone do not bound the work: a million wrong
   * members in 9 MB cost a schema 15 seconds and 2 GB of complaints.
   */
  maxValues?: number;
}

export type JsonResult = { ok: true; value: Json } | { ok: false; problem: string };

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Parses JSON that a stranger sent. The depth is counted on the text, before `JSON.parse` builds anything, because
 * every later recursive walk (validation, canonical form) would overflow its stack on `[[[[…`. Keys that reach a
 * prototype when copied carelessly are refused outright, so that no later code has to remember them. So is half of a
 * surrogate pair (`"\ud800"`), and a number such as `1e999`, which parses to infinity: no canonical form, hash or row can
 * hold one, and each would fail on our side, later.
 */
export function parseBoundedJson(bytes: Uint8Array, bounds: JsonBounds): JsonResult {
  if (bytes.byteLength > bounds.maxBytes) {
    return { ok: false, problem: `is ${bytes.byteLength} bytes long, at most ${bounds.maxBytes} are accepted` };
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { ok: false, problem: 'is not valid UTF-8 text' };
  }
  const { deepest, values } = measure(text);
  if (deepest > bounds.maxDepth) {
    return { ok: false, problem: `nests ${deepest} levels deep, at most ${bounds.maxDepth} are accepted` };
  }
  if (bounds.maxValues !== undefined && values > bounds.maxValues) {
    return { ok: false, problem: `holds more than ${bounds.maxValues} values` };
  }
  let forbidden: string | undefined;
  let halved = false;
  let endless = false;
  let value: Json;
  try {
    value = JSON.parse(text, (key, inner) => {
      if (forbiddenKeys.has(key)) forbidden = key;
      if (!key.isWellFormed() || (typeof inner === 'string' && !inner.isWellFormed())) halved = true;
      if (typeof inner === 'number' && !Number.isFinite(inner)) endless = true;
      return inner;
    }) as Json;
  } catch (error) {
    return { ok: false, problem: `is not JSON: ${(error as Error).message.slice(0, 200)}` };
  }
  if (forbidden !== undefined) return { ok: false, problem: `uses the reserved key "${forbidden}"` };
  if (endless) return { ok: false, problem: 'holds a number that is too large for any program to hold' };
  if (halved) return { ok: false, problem: 'holds half of a surrogate pair, which is no text' };
  return { ok: true, value };
}

/** Deepest nesting of brackets outside strings, and an upper bound of how many values there are; linear, constant memory. */
function measure(text: string): { deepest: number; values: number } {
  let depth = 0;
  let deepest = 0;
  // One for the outermost value; each bracket may hold a first one and each comma announces a further one.
  let values = 1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) i = endOfString(text, i);
    else if (code === 0x2c) values++;
    else if (code === 0x5b || code === 0x7b) {
      values++;
      depth++;
      if (depth > deepest) deepest = depth;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return { deepest, values };
}

/** Position of the quote that ends the string which begins at `start`; the text's end when none does. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === 0x22) return i;
  }
  return text.length;
}
