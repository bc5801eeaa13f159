import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraderSpec } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import { gradingContext } from '../../test/setup/rubrics.ts';
import { compileGrader } from './compile.ts';
import { diversityOf } from './diversity.ts';
import { selfBleu } from './self-bleu.ts';
import { stealthScore } from './stealth.ts';
import { cosine, tfIdf } from './tf-idf.ts';

const anyText = fc.string({ unit: 'binary' });
const words = fc
  .array(fc.constantFrom('open', 'the', 'door', 'now', 'please', 'and'), { minLength: 1, maxLength: 12 })
  .map((list) => list.join(' '));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('stealth', () => {
  it('is the closed form for one common and one own word each', () => {
    // idf of a shared word is 1, of an own one ln(3/2) + 1.
    const own = Math.log(1.5) + 1;
    expect(stealthScore('shared left', 'shared right')).toBeCloseTo(1 / (1 + own * own), 12);
    expect(stealthScore('I a b', 'I a b')).toBe(0);
    expect(stealthScore('Größe_1 ÉTÉ', 'größe_1 été')).toBeCloseTo(1, 12);
  });

  it('is symmetric, in [0, 1], 1 for itself and deaf to the order of words', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        const score = stealthScore(a, b);
        expect(score >= 0 && score <= 1).toBe(true);
        expect(stealthScore(b, a)).toBeCloseTo(score, 12);
      }),
    );
    fc.assert(
      fc.property(words, (text) => {
        expect(stealthScore(text, text.split(' ').reverse().join(' '))).toBeCloseTo(1, 12);
      }),
    );
  });

  const grade = (answer: Json | undefined, original: Json | undefined) =>
    compileGrader(
      GraderSpec.parse({ kind: 'stealth', of: 'answer', to: 'expected' }),
      () => '',
    )(gradingContext({ answer, case: { id: 'c', input: null, ...(original === undefined ? {} : { expected: original }) } }));
  it('counts the lowest of several texts, and errs without an original', async () => {
    expect((await grade('open the door', 'open the door')).score).toBeCloseTo(1, 12);
    expect(await grade(['open the door', '!'], 'open the door')).toMatchObject({ status: 'graded', score: 0 });
    expect(await grade([], 'open the door')).toMatchObject({ status: 'graded', score: 0 });
    expect(await grade('x', undefined)).toMatchObject({ status: 'error', evidence: { faultOf: 'sponsor' } });
    expect(await grade('x', '? !')).toMatchObject({ status: 'error', evidence: { faultOf: 'sponsor' } });
  });
});

/** BLEU with several references as the formula says it, one text at a time. */
function slowBleu(references: readonly string[][], given: readonly string[]): number {
  if (given.length === 0) return 1;
  const orders = Math.min(4, given.length);
  const grams = (tokens: readonly string[], n: number) =>
    tokens.slice(0, Math.max(0, tokens.length - n + 1)).map((_, i) => tokens.slice(i, i + n).join(' '));
  let sum = 0;
  for (let n = 1; n <= orders; n++) {
    const own = grams(given, n);
    const count = (list: string[], gram: string) => list.filter((other) => other === gram).length;
    const clipped = [...new Set(own)].map((gram) =>
      Math.min(count(own, gram), Math.max(...references.map((reference) => count(grams(reference, n), gram)))),
    );
    const matched = clipped.reduce((total, value) => total + value, 0);
    if (n === 1 && matched === 0) return 0;
    sum += Math.log((matched === 0 ? 0.1 : matched) / own.length) / orders;
  }
  const closest = references
    .map(({ length }) => length)
    .sort((a, b) => Math.abs(a - given.length) - Math.abs(b - given.length) || a - b)[0]!;
  return Math.min(1, (given.length > closest ? 1 : Math.exp(1 - closest / given.length)) * Math.exp(sum));
}

describe('self-BLEU', () => {
  it('is BLEU against all others', () => {
    const list = fc.array(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 9 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(list, (texts) => {
        for (const [i, score] of selfBleu(texts).entries()) {
          const others = texts.filter((_, j) => j !== i);
          expect(score).toBeCloseTo(slowBleu(others, texts[i]!), 10);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is 1 for copies, however short', () => {
    expect(selfBleu([['go'], ['go'], ['go']])).toEqual([1, 1, 1]);
  });
});

describe('diversity', () => {
  it('of a whole submission is that of all its texts, whichever case is graded, and not that of another submission', async () => {
    const grader = compileGrader(GraderSpec.parse({ kind: 'diversity', of: 'submission' }), () => '');
    const first = ['open the door', 'rockets burn liquid oxygen', 'open the window'];
    const second = ['same words here', 'same words here'];
    const of = async (submission: string[] | undefined, answer: string) => (await grader(gradingContext({ submission, answer }))).score;
    expect([await of(first, 'open the door'), await of(first, 'another case')]).toEqual(new Array(2).fill(diversityOf(first, 'self-bleu')));
    expect(await of(second, 'open the door')).toBe(diversityOf(second, 'self-bleu'));
    expect(await of(undefined, 'open the door')).toBe(0);
  });

  const measures = ['self-bleu', 'tfidf-cosine'] as const;

  it.each(measures)('by %s is in [0, 1], 0 for copies, and does not know the order of the list', (measure) => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 6 }), (texts) => {
        const value = diversityOf(texts, measure);
        expect(value >= 0 && value <= 1).toBe(true);
        expect(diversityOf([...texts].reverse(), measure)).toBeCloseTo(value, 10);
      }),
    );
    fc.assert(
      fc.property(words, fc.integer({ min: 2, max: 9 }), (text, times) => {
        expect(diversityOf(new Array<string>(times).fill(text), measure)).toBeCloseTo(0, 10);
      }),
    );
    expect(diversityOf(['apple pie tastes good today', 'rockets burn liquid oxygen quickly'], measure)).toBe(1);
    expect(diversityOf(['', '!!', '\u200b'], measure)).toBe(0);
  });

  it('by cosine is one minus the mean over pairs', () => {
    fc.assert(
      fc.property(fc.array(words, { minLength: 2, maxLength: 6 }), (texts) => {
        const vectors = tfIdf(texts);
        const cosines = vectors.flatMap((a, i) => vectors.slice(i + 1).map((b) => cosine(a, b)));
        expect(diversityOf(texts, 'tfidf-cosine')).toBeCloseTo(1 - mean(cosines), 10);
      }),
    );
  });

  it('falls when a text is repeated', () => {
    const texts = ['open the red door', 'sing a quiet song', 'count to ten slowly'];
    for (const measure of measures) expect(diversityOf([...texts, texts[0]!], measure)).toBeLessThan(diversityOf(texts, measure));
  });

  it('is 0 with too few texts and an error with too many', async () => {
    const grade = (answer: Json | undefined) =>
      compileGrader(GraderSpec.parse({ kind: 'diversity', of: 'answer', minTexts: 3 }), () => '')(gradingContext({ answer }));
    expect(await grade(['left side', 'right turn'])).toMatchObject({ status: 'graded', score: 0, evidence: { texts: 2 } });
    expect(await grade(undefined)).toMatchObject({ status: 'graded', score: 0 });
    expect((await grade(['left side', 'right turn', 'go back'])).score).toBe(1);
    expect(await grade(new Array<string>(1001).fill('x'))).toMatchObject({ status: 'error', evidence: { faultOf: 'participant' } });
  });
});
