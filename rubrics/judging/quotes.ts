import { unmarked } from './call-secrets.ts';
import { cleanText, type ShownTexts } from './shown.ts';

/** Fewest code points of a quote, unless it is the whole text. */
const shortest = 3;

/**
 * What is wrong with quotes, or null. A quote occurs when, after the cleaning that the shown text went through, with
 * datamarks as spaces, runs of white space as one space and none at the ends, its code points stand in one piece of the
 * text in that order. It needs three code points with a letter or digit among them, or must be the whole text: ":" and
 * "a" stand in most texts and show nothing. Case, punctuation and ellipses are not forgiven.
 */
export function quotesProblem(quotes: readonly string[], texts: ShownTexts, mark: string): string | null {
  const pieces = texts.texts.flatMap((text) => text.pieces.map(collapsed));
  for (const quote of quotes) {
    const sought = collapsed(cleanText(unmarked(quote, mark)));
    if (!/[\p{L}\p{N}]/u.test(sought)) return 'holds a quote without a letter or digit';
    if (Array.from(sought).length < shortest && !pieces.includes(sought)) return `holds a quote of fewer than ${shortest} characters`;
    if (!pieces.some((piece) => piece.includes(sought))) return 'holds a quote that does not occur in the graded text';
  }
  return null;
}

const collapsed = (text: string): string => text.replace(/\s+/gu, ' ').trim();
