import type { Json } from '../../contracts/json.ts';
import type { Case } from '../../contracts/rubric.ts';

/**
 * What someone knows who has read all public cases with their answers and nothing else. For a public case its own
 * answer is left out: knowing that is no guess, and in a phase of public cases it would win any rubric.
 */
export interface PublicKnowledge {
  /** Texts and numbers that other public cases expect, the most frequent first. */
  expectedElsewhere(c: Case): string[];
  /** What the next public case expects: the answers of a file whose lines slipped by one. */
  expectedNext(c: Case): string[];
}

export function publicKnowledge(publicCases: readonly Case[]): PublicKnowledge {
  const own = new Map(publicCases.map((c) => [c.id, textsIn(c.expected)]));
  const counts = new Map<string, number>();
  for (const texts of own.values()) for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  // The sort is stable: equally frequent texts stay in the order of the file.
  const ranked = [...counts].sort(([, a], [, b]) => b - a);
  const places = new Map(publicCases.map((c, i) => [c.id, i]));
  return {
    expectedElsewhere: (c) => {
      const mine = new Map<string, number>();
      for (const text of own.get(c.id) ?? []) mine.set(text, (mine.get(text) ?? 0) + 1);
      return ranked.flatMap(([text, count]) => (count > (mine.get(text) ?? 0) ? [text] : []));
    },
    expectedNext: (c) => {
      const next = publicCases[((places.get(c.id) ?? 0) + 1) % publicCases.length];
      return next === undefined || next.id === c.id ? [] : (own.get(next.id) ?? []);
    },
  };
}

/** Every text and number inside a value, in order. */
export function textsIn(value: Json | undefined): string[] {
  if (typeof value === 'string') return value.trim() === '' ? [] : [value];
  if (typeof value === 'number') return [String(value)];
  if (value === null || value === undefined || typeof value !== 'object') return [];
  return Object.values(value).flatMap(textsIn);
}
