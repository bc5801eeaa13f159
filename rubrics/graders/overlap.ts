import type { GraderSpec } from '../../contracts/graders.ts';
import { tooLarge } from './bounded.ts';
import { gradeError, noReference } from './evidence.ts';
import { graded, type Grader } from './grader.ts';
import { lcsLength } from './lcs.ts';
import { resolveTexts } from './sources.ts';
import { countsOf, ngramsOf, wordsOf } from './tokens.ts';

type Spec = Extract<GraderSpec, { kind: 'overlap' }>;
type Rules = Pick<Spec, 'measure' | 'n' | 'tokens' | 'firstTokens'>;

/** Of a reference's tokens; the answer may be longer. Above it the subsequence would take seconds. */
const longestReference = 10_000;

export interface Overlap {
  /** 0..1: F1 for `rouge-l` and `ngram-f`, the share of the reference for `lcs` and `ngram-share`. */
  score: number;
  /** Tokens of the longest common subsequence, or n-grams in common. */
  common: number;
}

/**
 * How much of `reference` is in `given`. With L the length of their longest common subsequence of tokens, m and n their
 * lengths: `rouge-l` is 2PR/(P + R) with P = L/n, R = L/m (C.-Y. Lin, ROUGE, 2004, β = 1, no stemming); `lcs` is L/m;
 * `ngram-f` is the same F1 with L the clipped number of common n-grams, `ngram-share` is L over the reference's number of
 * n-grams (containment: A. Z. Broder, 1997), which unlike `lcs` is not raised by scattered common words. Texts without
 * tokens overlap in nothing.
 */
export function overlapOf(reference: string, given: string, rules: Rules): Overlap {
  const expected = tokensOf(reference, rules);
  const found = tokensOf(given, rules);
  if (rules.measure === 'ngram-f' || rules.measure === 'ngram-share') {
    const grams = ngramsOf(expected, rules.n);
    const others = ngramsOf(found, rules.n);
    const common = clippedMatches(grams, others);
    return { score: rules.measure === 'ngram-f' ? f1(common, grams.length, others.length) : share(common, grams.length), common };
  }
  const common = lcsLength(expected, found);
  const score = rules.measure === 'lcs' ? share(common, expected.length) : f1(common, expected.length, found.length);
  return { score, common };
}

function tokensOf(text: string, { tokens, firstTokens }: Rules): string[] {
  const all = tokens === 'words' ? wordsOf(text) : Array.from(text);
  return firstTokens === undefined ? all : all.slice(0, firstTokens);
}

function clippedMatches(a: readonly string[], b: readonly string[]): number {
  const available = countsOf(a);
  let common = 0;
  for (const [gram, count] of countsOf(b)) common += Math.min(count, available.get(gram) ?? 0);
  return common;
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
/** 2PR/(P + R) is 2L/(m + n). */
const f1 = (common: number, m: number, n: number): number => share(2 * common, m + n);

/**
 * The overlap of the text at `of` with the reference at `to`, the best of several texts and references; 1 or 0 where
 * `atLeast` or `atLeastTokens` is given (both must be reached). No text scores 0. Errors: no reference, one without
 * tokens or, for subsequences, one of more than 10,000 tokens (sponsor); texts too large (participant).
 */
export function overlap(spec: Spec): Grader {
  return (context) => {
    const references = resolveTexts(spec.to, context);
    if (references.length === 0) return noReference(spec.to);
    for (const reference of references) {
      const size = tokensOf(reference, spec).length;
      if (size === 0) return gradeError(`the text at "${spec.to}" has no ${spec.tokens} to compare`, 'sponsor');
      if ((spec.measure === 'rouge-l' || spec.measure === 'lcs') && size > longestReference)
        return gradeError(`the text at "${spec.to}" has ${size} ${spec.tokens}, at most ${longestReference} can be compared`, 'sponsor');
    }
    const texts = resolveTexts(spec.of, context);
    const large = tooLarge(texts);
    if (large) return large;
    const results = references.flatMap((reference) => texts.map((text, position) => ({ position, ...overlapOf(reference, text, spec) })));
    const best = results.reduce((top, result) => (result.score > top.score ? result : top), { position: -1, score: 0, common: 0 });
    const longest = Math.max(0, ...results.map(({ common }) => common));
    const evidence = { overlap: best.score, common: longest, position: best.position };
    if (spec.atLeast === undefined && spec.atLeastTokens === undefined) return graded(best.score, evidence);
    const reached = results.some(({ score, common }) => score >= (spec.atLeast ?? 0) && common >= (spec.atLeastTokens ?? 0));
    return graded(reached ? 1 : 0, evidence);
  };
}
