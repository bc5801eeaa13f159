import { type JsonBounds, type JsonResult, parseBoundedJson } from '../../contracts/json.ts';

/**
 * The one JSON value that a text is. Half of a surrogate pair would turn into U+FFFD on its way through UTF-8 and is
 * refused before.
 */
export const parseText = (text: string, bounds: JsonBounds): JsonResult =>
  text.isWellFormed()
    ? parseBoundedJson(Buffer.from(text, 'utf8'), bounds)
    : { ok: false, problem: 'holds half of a surrogate pair, which is no text' };
