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

/** Longer lists say nothing new: forms take at most some twenty guesses. */
const mostCommon = 20;

/**
 * What somebody hands in who knows how often each answer is right and nothing else: for every place in `expected` (`/label`;
 * entries of a list are one place) at which cases share a text, number or truth value, the shared ones, the most frequent
 * first. Eight "yes" of ten cases are worth 0.8 to whoever always says "yes", and no score below that shows anything.
 */
export function commonestExpected(cases: readonly Case[]): string[][] {
  const places = new Map<string, Map<string, number>>();
  for (const { expected } of cases) {
    // Once for each case: ten times the same word in one list is one case's answer.
    const mine = new Map(leavesOf(expected, '').map((leaf) => [JSON.stringify(leaf), leaf]));
    for (const { place, text } of mine.values()) {
      const counts = places.get(place) ?? new Map<string, number>();
      places.set(place, counts.set(text, (counts.get(text) ?? 0) + 1));
    }
  }
  return [...places.values()].flatMap((counts) => {
    const shared = [...counts].filter(([, count]) => count > 1).sort(([, a], [, b]) => b - a);
    return shared.length === 0 ? [] : [shared.slice(0, mostCommon).map(([text]) => text)];
  });
}

function leavesOf(value: Json | undefined, place: string): { place: string; text: string }[] {
  if (typeof value === 'string') return value.trim() === '' ? [] : [{ place, text: value }];
  if (typeof value === 'number' || typeof value === 'boolean') return [{ place, text: String(value) }];
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((inner) => leavesOf(inner, `${place}/*`));
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, `${place}/${key}`));
}
