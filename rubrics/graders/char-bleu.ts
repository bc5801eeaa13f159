import type { GraderSpec } from '../../contracts/graders.ts';
import { clip, noReference } from './evidence.ts';
import { graded, type Grader } from './grader.ts';
import { resolveTexts } from './sources.ts';

type Spec = Extract<GraderSpec, { kind: 'char-bleu' }>;

const orders = [1, 2, 3, 4] as const;
/** Python's `sys.float_info.min`: what NLTK puts in the place of a precision of zero. */
const smallestNormal = 2.2250738585072014e-308;

/**
 * Character BLEU as NLTK's `sentence_bleu([reference], guess)` gives it on raw strings without smoothing (K. Papineni
 * et al., ACL 2002): clipped precision of 1- to 4-grams with weights of 1/4 and the brevity penalty. Counted on code
 * points, as Python does; on UTF-16 units a text with an emoji scores differently. No common character gives 0; a
 * higher order without a match contributes ln(2.2e-308), so identical texts below four characters score about 1e-77.
 */
export function charBleuScore(reference: string, guess: string): number {
  const expected = Array.from(reference);
  const given = Array.from(guess);
  let logarithms = 0;
  for (const order of orders) {
    const { matched, total } = clippedMatches(expected, given, order);
    if (order === 1 && matched === 0) return 0;
    logarithms += Math.log(matched === 0 ? smallestNormal : matched / total) / orders.length;
  }
  const brevity = given.length > expected.length ? 1 : Math.exp(1 - expected.length / given.length);
  return brevity * Math.exp(logarithms);
}

function clippedMatches(expected: readonly string[], given: readonly string[], order: number): { matched: number; total: number } {
  const available = new Map<string, number>();
  for (let i = 0; i + order <= expected.length; i++) {
    const gram = expected.slice(i, i + order).join('');
    available.set(gram, (available.get(gram) ?? 0) + 1);
  }
  let matched = 0;
  for (let i = 0; i + order <= given.length; i++) {
    const gram = given.slice(i, i + order).join('');
    const left = available.get(gram) ?? 0;
    if (left === 0) continue;
    available.set(gram, left - 1);
    matched++;
  }
  return { matched, total: Math.max(1, given.length - order + 1) };
}

/** The best character BLEU of the guesses at `of` against the reference at `to`. */
export function charBleu(spec: Spec): Grader {
  return (context) => {
    const reference = resolveTexts(spec.to, context)[0];
    if (reference === undefined) return noReference(spec.to);
    const guesses = resolveTexts(spec.of, context);
    const scores = guesses.map((guess) => charBleuScore(reference, guess));
    const best = scores.reduce((at, score, i) => (score > (scores[at] ?? -1) ? i : at), 0);
    return graded(scores[best] ?? 0, { scores: scores.slice(0, 20), best: guesses[best] === undefined ? null : clip(guesses[best]) });
  };
}
