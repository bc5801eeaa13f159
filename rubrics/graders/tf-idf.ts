import { countsOf, vectoriserTokens } from './tokens.ts';

/** A sparse vector of unit length, or an empty one for a text without tokens. */
export type TextVector = ReadonlyMap<string, number>;

/**
 * TF-IDF vectors as scikit-learn's `TfidfVectorizer()` makes them when it is fitted on exactly these N texts: raw term
 * counts times idf = ln((1 + N)/(1 + df)) + 1, divided by the Euclidean norm.
 */
export function tfIdf(texts: readonly string[]): TextVector[] {
  const counts = texts.map((text) => countsOf(vectoriserTokens(text)));
  const documents = new Map<string, number>();
  for (const count of counts) for (const token of count.keys()) documents.set(token, (documents.get(token) ?? 0) + 1);
  return counts.map((count) => {
    const weights = [...count].map(([token, times]): [string, number] => [
      token,
      times * (Math.log((1 + texts.length) / (1 + (documents.get(token) ?? 0))) + 1),
    ]);
    const norm = Math.sqrt(weights.reduce((sum, [, weight]) => sum + weight * weight, 0));
    return new Map(weights.map(([token, weight]): [string, number] => [token, weight / norm]));
  });
}

/** The cosine of two unit vectors, 0..1; 0 when one is empty. */
export function cosine(a: TextVector, b: TextVector): number {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  let sum = 0;
  for (const [token, weight] of small) sum += weight * (large.get(token) ?? 0);
  // Rounding may leave 1.0000000000000002.
  return Math.min(1, sum);
}
