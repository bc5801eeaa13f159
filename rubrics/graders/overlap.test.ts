import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraderSpec } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import { gradingContext } from '../../test/setup/rubrics.ts';
import { compileGrader } from './compile.ts';
import { lcsLength } from './lcs.ts';
import { overlapOf } from './overlap.ts';

const rules = { measure: 'rouge-l', n: 2, tokens: 'words' } as const;

/** The textbook table, the independent way to the same number. */
function slowLcs(a: readonly string[], b: readonly string[]): number {
  let above = new Array<number>(b.length + 1).fill(0);
  for (const token of a) {
    const row = [0];
    for (const [j, other] of b.entries()) row.push(token === other ? above[j]! + 1 : Math.max(above[j + 1]!, row[j]!));
    above = row;
  }
  return above.at(-1)!;
}

const tokens = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 150 });
const sentence = fc.array(fc.constantFrom('the', 'cat', 'sat', 'on', 'mat', 'dog'), { maxLength: 20 }).map((words) => words.join(' '));

describe('the longest common subsequence', () => {
  it('is that of the table, across word boundaries', () => {
    fc.assert(
      fc.property(tokens, tokens, (a, b) => lcsLength(a, b) === slowLcs(a, b)),
      { numRuns: 300 },
    );
  });

  it('is symmetric and never longer than either', () => {
    fc.assert(
      fc.property(tokens, tokens, (a, b) => {
        expect(lcsLength(a, b)).toBe(lcsLength(b, a));
        expect(lcsLength(a, b)).toBeLessThanOrEqual(Math.min(a.length, b.length));
        expect(lcsLength(a, a)).toBe(a.length);
      }),
    );
  });
});

describe('measures', () => {
  it("are those of Lin's example", () => {
    // "police killed the gunman": ROUGE-L 3/4 for the first candidate, 2/4 for the second (ROUGE, 2004, section 3.1).
    expect(overlapOf('police killed the gunman', 'police kill the gunman', rules).score).toBe(0.75);
    expect(overlapOf('police killed the gunman', 'the gunman kill police', rules).score).toBe(0.5);
    expect(overlapOf('a b c d', 'a b x c d e', { ...rules, measure: 'lcs' })).toEqual({ score: 1, common: 4 });
    expect(overlapOf('a b c', 'a b d', { ...rules, measure: 'ngram-f' })).toEqual({ score: 0.5, common: 1 });
    expect(overlapOf('a a', 'a a a a', { ...rules, measure: 'ngram-f', n: 1 }).common).toBe(2);
    expect(overlapOf('a b c d e', 'x b c d x y z', { ...rules, measure: 'ngram-share', n: 2 })).toEqual({ score: 0.5, common: 2 });
    // Scattered words are a subsequence, and no quotation.
    expect(overlapOf('a b c d e', 'a x b x c x d x e', { ...rules, measure: 'ngram-share', n: 2 }).score).toBe(0);
    expect(overlapOf('abc', 'abd', { ...rules, tokens: 'characters' }).score).toBeCloseTo(2 / 3, 12);
  });

  it('ignore case, punctuation and invisible characters in words', () => {
    expect(overlapOf('It was the best of times', 'IT — was; the be\u200bst of times!', rules).score).toBe(1);
  });

  it('cut to the first tokens', () => {
    expect(overlapOf('a b c d', 'x a b c d', { ...rules, firstTokens: 2 }).score).toBe(0.5);
  });

  it('stay in [0, 1], are 1 for equal texts and symmetric where they are F1', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        fc.constantFrom('rouge-l', 'lcs', 'ngram-f', 'ngram-share'),
        (a, b, measure) => {
          for (const unit of ['words', 'characters'] as const) {
            const { score } = overlapOf(a, b, { measure, n: 2, tokens: unit });
            expect(score >= 0 && score <= 1).toBe(true);
            if (measure === 'rouge-l' || measure === 'ngram-f') expect(score).toBe(overlapOf(b, a, { measure, n: 2, tokens: unit }).score);
          }
          if (a !== '') expect(overlapOf(a, a, { measure, n: 1, tokens: 'characters' }).score).toBe(1);
        },
      ),
    );
  });

  it('lcs never falls when the answer is longer', () => {
    fc.assert(
      fc.property(sentence, sentence, sentence, (reference, given, more) => {
        const of = (text: string) => overlapOf(reference, text, { ...rules, measure: 'lcs' }).score;
        expect(of(`${given} ${more}`)).toBeGreaterThanOrEqual(of(given));
      }),
    );
  });
});

describe('the grader', () => {
  const passage = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ');
  const grade = (answer: Json | undefined, parts: object = {}, expected: Json | undefined = passage) =>
    compileGrader(
      GraderSpec.parse({ kind: 'overlap', of: 'answer', to: 'expected', ...parts }),
      () => '',
    )(gradingContext({ answer, case: { id: 'c', input: null, ...(expected === undefined ? {} : { expected }) } }));

  it('takes the best text and knows thresholds', async () => {
    expect(await grade(['nothing', passage])).toMatchObject({ score: 1, evidence: { position: 1, common: 60 } });
    expect(await grade(passage.slice(0, 200), { measure: 'lcs', atLeastTokens: 40 })).toMatchObject({ score: 0 });
    expect(await grade(`Here it is: ${passage}`, { measure: 'lcs', atLeastTokens: 40 })).toMatchObject({ score: 1 });
    expect(await grade(passage.split(' ').slice(0, 30).join(' '), { atLeast: 0.8 })).toMatchObject({ score: 0 });
    expect(await grade(undefined)).toMatchObject({ status: 'graded', score: 0 });
    expect(await grade([], { atLeast: 0 })).toMatchObject({ status: 'graded', score: 0 });
  });

  it('errs without a usable reference', async () => {
    for (const expected of [{}, '?!', 'x '.repeat(10_001)])
      expect(await grade('x', {}, expected)).toMatchObject({ status: 'error', evidence: { faultOf: 'sponsor' } });
  });
});
