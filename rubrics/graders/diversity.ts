import type { GraderSpec } from '../../contracts/graders.ts';
import { tooLarge } from './bounded.ts';
import { gradeError } from './evidence.ts';
import { graded, type Grader, type GradeResult, type GradingContext } from './grader.ts';
import { selfBleu } from './self-bleu.ts';
import { resolveTexts } from './sources.ts';
import { tfIdf } from './tf-idf.ts';
import { wordsOf } from './tokens.ts';

type Spec = Extract<GraderSpec, { kind: 'diversity' }>;

const mostTexts = 1000;
const largestTotal = 1_000_000;

/**
 * Diversity of a list of texts, 0..1. `self-bleu`: one minus the mean self-BLEU of the texts (`self-bleu.ts`).
 * `tfidf-cosine`: one minus the mean cosine over all pairs of TF-IDF vectors fitted on the list; with unit vectors the
 * sum over pairs is (|Σv|² - N)/2, so no pair is visited. A text without words is as close to all others as can be.
 */
export function diversityOf(texts: readonly string[], measure: Spec['measure']): number {
  if (texts.length < 2) return 0;
  if (measure === 'self-bleu') {
    const scores = selfBleu(texts.map(wordsOf));
    return 1 - scores.reduce((sum, score) => sum + score, 0) / scores.length;
  }
  const vectors = tfIdf(texts).filter(({ size }) => size > 0);
  const sum = new Map<string, number>();
  for (const vector of vectors) for (const [token, weight] of vector) sum.set(token, (sum.get(token) ?? 0) + weight);
  const squared = [...sum.values()].reduce((total, weight) => total + weight * weight, 0);
  const wordlessPairs = pairs(texts.length) - pairs(vectors.length);
  const mean = ((squared - vectors.length) / 2 + wordlessPairs) / pairs(texts.length);
  return Math.min(1, Math.max(0, 1 - mean));
}

const pairs = (n: number): number => (n * (n - 1)) / 2;

/**
 * The diversity of the texts at `of`; 0 with fewer than `minTexts`. Errors: more than 1,000 texts or a million
 * characters (participant).
 */
export function diversity(spec: Spec): Grader {
  // The texts of a submission are the same in all its cases; comparing them a hundred times would take most of the run.
  const known = new WeakMap<readonly string[], GradeResult>();
  return (context) => {
    const { submission } = context;
    if (spec.of !== 'submission' || submission === undefined) return compared(spec, context);
    const result = known.get(submission) ?? compared(spec, context);
    known.set(submission, result);
    return result;
  };
}

function compared(spec: Spec, context: GradingContext): GradeResult {
  const texts = resolveTexts(spec.of, context);
  if (texts.length > mostTexts) return gradeError(`${texts.length} texts, at most ${mostTexts} can be compared`, 'participant');
  const large = tooLarge(texts, largestTotal);
  if (large) return large;
  const distinct = new Set(texts).size;
  return graded(texts.length < spec.minTexts ? 0 : diversityOf(texts, spec.measure), { texts: texts.length, distinct });
}
