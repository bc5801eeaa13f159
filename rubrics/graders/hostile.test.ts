import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraderSpec } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import { exchange, gradingContext } from '../../test/setup/rubrics.ts';
import { compileGrader } from './compile.ts';

/** Every grader that needs no model, each reading the answer or the replies a stranger wrote. */
const specs: object[] = [
  { kind: 'equals', of: 'answer', to: 'expected', normalise: ['nfkc', 'lower', 'trim', 'collapse-space'] },
  { kind: 'includes', of: 'answer', to: 'expected', normalise: ['alphanumeric'] },
  { kind: 'equals', of: 'replies', to: 'expected' },
  { kind: 'char-bleu', of: 'answer', to: 'expected' },
  { kind: 'verbatim-copy', of: 'answer', to: 'expected' },
  { kind: 'refusal', of: 'replies', preset: 'zou2023universal-closed', expect: 'refusal' },
  { kind: 'refusal', of: 'replies', preset: { matching: 'prefix', refusalAny: ["can't"] }, expect: 'compliance' },
  { kind: 'secret-leak', of: 'replies', secret: 'secret/word' },
  { kind: 'regex', of: 'answer', pattern: '(a+)+b|\\p{L}{2,20}!' },
  { kind: 'regex', of: 'answer', pattern: 'x*q|x', atLeast: 0, atMost: 0 },
  { kind: 'json-schema', of: 'answer', as: 'text', schema: { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } } },
  ...['whole', 'first', 'last'].map((parse) => ({ kind: 'numeric', of: 'answer', to: 'input/number', parse, unit: { name: 'm' } })),
  ...['rouge-l', 'lcs', 'ngram-f'].map((measure) => ({ kind: 'overlap', of: 'answer', to: 'expected', measure })),
  { kind: 'overlap', of: 'answer', to: 'expected', measure: 'lcs', tokens: 'characters' },
  { kind: 'pii', of: 'answer' },
  { kind: 'stealth', of: 'answer', to: 'expected' },
  { kind: 'diversity', of: 'answer', measure: 'self-bleu' },
  { kind: 'diversity', of: 'answer', measure: 'tfidf-cosine' },
  {
    kind: 'tool-policy',
    forbidden: [{ tool: 'send', arguments: [{ at: '/to', is: 'matches', pattern: '(a+)+$' }] }],
    order: [{ tool: 'send' }],
  },
  { kind: 'state-check', of: 'answer', checks: [{ at: '', is: 'contains', what: { source: 'expected' } }], score: 'share' },
  {
    kind: 'all',
    parts: [
      { kind: 'pii', of: 'answer' },
      { kind: 'not', part: { kind: 'includes', of: 'answer', to: 'expected' } },
    ],
  },
];
const graders = specs.map((spec) => [JSON.stringify(spec).slice(0, 80), compileGrader(GraderSpec.parse(spec), () => '')] as const);

const contextOf = (answer: Json, text: string) => {
  const made = exchange(text);
  const calls = [{ id: '1', name: 'send', arguments: text }];
  return gradingContext({
    answer,
    case: { id: 'c', input: { number: 5 }, expected: 'The quick brown fox jumps over the lazy dog' },
    transcript: [{ ...made, reply: { ...made.reply!, toolCalls: calls } }],
    secrets: { word: 'kQ7vXa2M' },
  });
};

describe.each(graders)('%s', (_, grader) => {
  it('never throws; gives a score in [0, 1] or an error that says whose fault it is', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('\ud800', '\udfff', '\u200b', '\u202e', '\0', 'a', '1', '+', '@', '.') }),
    );
    const answer = fc.oneof(text, fc.array(text, { maxLength: 4 }), fc.dictionary(text, text), fc.jsonValue() as fc.Arbitrary<Json>);
    await fc.assert(
      fc.asyncProperty(answer, text, async (given, reply) => {
        const result = await grader(contextOf(given, reply));
        if (result.status === 'graded') expect(result.score! >= 0 && result.score! <= 1).toBe(true);
        else expect(result).toMatchObject({ status: 'error', score: null, evidence: { faultOf: 'participant' } });
        expect(JSON.stringify(result.evidence).length).toBeLessThan(20_000);
      }),
      { numRuns: 60 },
    );
  });

  // 200,000 tokens and more, of kinds that make careless code quadratic, recursive or wrong.
  it.each<[string, string]>([
    ['words', 'alpha beta 12 gamma '.repeat(50_000)],
    ['one run of letters', 'x'.repeat(1_000_000)],
    ['one run of digits', '4'.repeat(1_000_000)],
    ['digits in groups', '4111 '.repeat(200_000)],
    ['starts of addresses', 'a@a.'.repeat(250_000)],
    ['plus signs', '+44 (0'.repeat(160_000)],
    ['letters beyond the basic plane', '𝒳'.repeat(500_000)],
    ['zero-width and bidi', '\u200b\u202e\u2066a'.repeat(250_000)],
    ['lone surrogates', '\ud800\udc00\udc00'.repeat(330_000)],
    ['marks on one letter', `e${'\u0301'.repeat(999_999)}`],
    ['open brackets', '[{"a":'.repeat(160_000)],
    ['separators', ', .'.repeat(330_000)],
  ])('is done in bounded time with %s', { timeout: 60_000 }, async (__, text) => {
    const startedAt = performance.now();
    const result = await grader(contextOf(text, text));
    expect(['graded', 'error']).toContain(result.status);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });
});
