/** Words: lower-cased runs of letters, marks and digits of any script. Invisible characters inside a word do not split it. */
export const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .replaceAll(/\p{Cf}+/gu, '')
    .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

/**
 * The tokens of scikit-learn's vectorisers: runs of at least two word characters as Python's `\w` understands them
 * (letters, numbers of any kind, the underscore; no combining marks), lower-cased first.
 */
export const vectoriserTokens = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? [];

/** How often each token occurs. */
export function countsOf(tokens: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}

/** The n-grams of a list of tokens, joined by a character that no token holds. */
export function ngramsOf(tokens: readonly string[], n: number): string[] {
  const grams: string[] = [];
  for (let i = 0; i + n <= tokens.length; i++) grams.push(n === 1 ? (tokens[i] as string) : tokens.slice(i, i + n).join('\u0000'));
  return grams;
}
