import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { everyGrader, GraderSpec } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import { exchange, gradingContext } from '../../test/setup/rubrics.ts';
import { gradeWithoutPart } from '../gates/regrade-parts.ts';
import { all, any, not, weighted } from './combinators.ts';
import { compileGrader } from './compile.ts';
import { gradeError } from './evidence.ts';
import { graded, type Grader, type GradeResult, type GradingContext } from './grader.ts';
import type { Part } from './parts.ts';

/** A score, or why there is none. */
type Value = number | 'error' | 'needs_review';
const part = (value: Value): Part => {
  const result: GradeResult =
    typeof value === 'number'
      ? graded(value)
      : value === 'error'
        ? gradeError('broken', 'target')
        : { status: 'needs_review', score: null, evidence: { message: 'unclear' } };
  return { kind: 'fake', grader: () => result };
};
const run = async (grader: Grader): Promise<Value> => {
  const result = await grader(gradingContext());
  expect(result.status === 'graded').toBe(result.score !== null);
  return result.score ?? (result.status as 'error' | 'needs_review');
};
const inside = (grader: Grader): Part => ({ kind: 'inside', grader });

const bit = fc.constantFrom<Value>(0, 1);
/** Sixteenths: their sums and differences are exact. */
const score = fc.integer({ min: 0, max: 16 }).map((n): Value => n / 16);
const value = fc.oneof(score, fc.constantFrom<Value>('error', 'needs_review'));
const lists = (of: fc.Arbitrary<Value>) => fc.array(of, { minLength: 1, maxLength: 5 });

describe('on true and false', () => {
  it('all, any and not are and, or and not', async () => {
    await fc.assert(
      fc.asyncProperty(lists(bit), async (bits) => {
        expect(await run(all(bits.map(part)))).toBe(bits.every((b) => b === 1) ? 1 : 0);
        expect(await run(any(bits.map(part)))).toBe(bits.some((b) => b === 1) ? 1 : 0);
        expect(await run(not(part(bits[0]!)))).toBe(bits[0] === 1 ? 0 : 1);
      }),
    );
  });
});

describe('on scores and on parts that have none', () => {
  const laws: [string, (a: Value, b: Value, c: Value) => [Grader, Grader]][] = [
    ["De Morgan's", (a, b) => [not(inside(all([part(a), part(b)]))), any([inside(not(part(a))), inside(not(part(b)))])]],
    ['double negation', (a) => [not(inside(not(part(a)))), part(a).grader]],
    ['commutativity', (a, b) => [all([part(a), part(b)]), all([part(b), part(a)])]],
    ['associativity', (a, b, c) => [any([part(a), inside(any([part(b), part(c)]))]), any([inside(any([part(a), part(b)])), part(c)])]],
    ['idempotence', (a) => [all([part(a), part(a)]), part(a).grader]],
    ['absorption', (a, b) => [all([part(a), inside(any([part(a), part(b)]))]), all([part(a), part(a)])]],
    [
      'distributivity',
      (a, b, c) => [
        all([part(a), inside(any([part(b), part(c)]))]),
        any([inside(all([part(a), part(b)])), inside(all([part(a), part(c)]))]),
      ],
    ],
  ];
  it.each(laws)('the law of %s holds for scores', async (_, sides) => {
    await fc.assert(
      fc.asyncProperty(score, score, score, async (a, b, c) => {
        const [left, right] = sides(a, b, c);
        expect(await run(left)).toBe(await run(right));
      }),
    );
  });

  it.each(laws.filter(([name]) => !['absorption', 'distributivity'].includes(name)))(
    'the law of %s holds for parts without a score',
    async (_, sides) => {
      await fc.assert(
        fc.asyncProperty(value, value, value, async (a, b, c) => {
          const [left, right] = sides(a, b, c);
          expect(await run(left)).toBe(await run(right));
        }),
      );
    },
  );

  it('a score is given only when the missing parts could not change it', async () => {
    await fc.assert(
      fc.asyncProperty(lists(value), score, score, async (values, low, high) => {
        for (const combine of [all, any]) {
          const result = await run(combine(values.map(part)));
          const fill = (with_: Value) => run(combine(values.map((v) => part(typeof v === 'number' ? v : with_))));
          if (typeof result === 'number') expect([await fill(low), await fill(high)]).toEqual([result, result]);
          else expect(await fill(0)).not.toBe(await fill(1));
        }
      }),
    );
  });

  it('an error outweighs a review, and both keep their reason and the other parts', async () => {
    const result = await all([part(1), part('needs_review'), part('error')])(gradingContext());
    expect(result).toMatchObject({ status: 'error', evidence: { faultOf: 'target', message: expect.stringContaining('broken') } });
    expect(result.evidence.parts).toHaveLength(3);
    expect(await run(any([part(0.5), part('needs_review')]))).toBe('needs_review');
  });
});

describe('weighted', () => {
  it('is the mean, between the extremes, monotone, and undecided with any part', async () => {
    const parts = fc.array(fc.tuple(value, fc.integer({ min: 1, max: 100 })), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(parts, async (given) => {
        const result = await run(weighted(given.map(([v, weight]) => ({ ...part(v), weight }))));
        const scores = given.flatMap(([v]) => (typeof v === 'number' ? [v] : []));
        if (scores.length < given.length) {
          expect(typeof result).toBe('string');
          return;
        }
        expect(result).toBeGreaterThanOrEqual(Math.min(...scores) - 1e-12);
        expect(result).toBeLessThanOrEqual(Math.max(...scores) + 1e-12);
        const raised = await run(weighted(given.map(([, weight], i) => ({ ...part(i === 0 ? 1 : scores[i]!), weight }))));
        expect(raised).toBeGreaterThanOrEqual((result as number) - 1e-12);
      }),
    );
    expect(
      await run(
        weighted([
          { ...part(1), weight: 3 },
          { ...part(0), weight: 1 },
        ]),
      ),
    ).toBe(0.75);
  });
});

describe('parts', () => {
  it('that throw, or leave 0 to 1, are errors of the platform', async () => {
    for (const grader of [
      () => Promise.reject(new Error('boom')),
      () => graded(2),
      () => graded(Number.NaN),
      () => graded(-0.1),
    ] as Grader[]) {
      for (const combined of [
        all([inside(grader)]),
        any([part(0), inside(grader)]),
        not(inside(grader)),
        weighted([{ ...inside(grader), weight: 1 }]),
      ])
        expect(await combined(gradingContext())).toMatchObject({ status: 'error', score: null, evidence: { faultOf: 'platform' } });
    }
  });

  it('count as 1 or 0 where there is a threshold', async () => {
    expect(await run(all([part(0.6), part(0.9)], 0.5))).toBe(1);
    expect(await run(all([part(0.6), part(0.4)], 0.5))).toBe(0);
    expect(await run(any([part(0.6), part(0.4)], 0.7))).toBe(0);
    expect(await run(not(part(0.6), 0.5))).toBe(0);
  });

  it('are compiled from a rubric, their evidence kept', async () => {
    const has = (what: string) => ({ kind: 'includes', of: 'answer', to: `input/${what}` });
    const spec = GraderSpec.parse({
      kind: 'all',
      parts: [has('good'), { kind: 'not', part: { kind: 'any', parts: [has('bad'), has('worse')] } }],
    });
    const grade = (answer: string) =>
      compileGrader(spec, () => '')(gradingContext({ answer, case: { id: 'c', input: { good: 'g', bad: 'b', worse: 'w' } } }));
    expect(await grade('g')).toMatchObject({
      score: 1,
      evidence: {
        parts: [
          { grader: 'includes', score: 1, evidence: { found: true } },
          { grader: 'not', evidence: { parts: [{ grader: 'any' }] } },
        ],
      },
    });
    expect(await grade('gw')).toMatchObject({ score: 0 });
    expect(everyGrader(spec).map(({ path }) => path.join('/'))).toEqual([
      '',
      'parts/0',
      'parts/1',
      'parts/1/part',
      'parts/1/part/parts/0',
      'parts/1/part/parts/1',
    ]);
  });

  const lacks = (of: string) => ({ kind: 'not', part: { kind: 'includes', of, to: 'input' } });
  const score = async (spec: object, answer: Json | undefined) =>
    (await compileGrader(GraderSpec.parse(spec), () => '')(gradingContext({ answer, case: { id: 'c', input: 'bad' } }))).score;

  it.each<[string, Json | undefined]>([
    ['missing', undefined],
    ['null', null],
    ['empty', ''],
    ['blank', ' \n\t'],
    ['an empty list', []],
    ['a list of blanks', ['', [' '], null]],
  ])('are worth nothing under not where the answer is %s, whichever way the question points', async (_, answer) => {
    expect(await score(lacks('answer'), answer)).toBe(0);
    expect(await score({ kind: 'not', part: lacks('answer') }, answer)).toBe(0);
    expect(await score({ kind: 'all', parts: [lacks('answer'), lacks('answer')] }, answer)).toBe(0);
    expect(await score({ kind: 'not', part: { kind: 'any', parts: [lacks('answer'), lacks('answer/x')] } }, answer)).toBe(0);
  });

  it('pay for an answer that is there, and for silence where the rubric names it', async () => {
    expect(await score(lacks('answer'), 'good')).toBe(1);
    expect(await score(lacks('answer'), 'bad')).toBe(0);
    expect(await score(lacks('answer/x'), { x: ' ', y: 'bad' })).toBe(0);
    expect(await score({ kind: 'regex', of: 'answer', pattern: 'bad', atLeast: 0, atMost: 0 }, '')).toBe(1);
    // Nothing of it is the submission's: blank or not, it is what the rubric compares.
    expect(await score({ kind: 'not', part: { kind: 'regex', of: 'input', pattern: 'x' } }, undefined)).toBe(1);
  });

  it('are worth nothing under not where no reply came, but a blank reply is one', async () => {
    const of = (transcript: GradingContext['transcript']) =>
      compileGrader(GraderSpec.parse(lacks('replies')), () => '')(gradingContext({ transcript, case: { id: 'c', input: 'bad' } }));
    expect(await of([])).toMatchObject({ score: 0 });
    expect(await of([exchange('')])).toMatchObject({ score: 1 });
  });

  it('say in their evidence that they were empty, so that a part taken out later comes to the same', async () => {
    const has = { kind: 'includes', of: 'answer', to: 'input' };
    const spec = GraderSpec.parse({ kind: 'not', part: { kind: 'any', parts: [has, has] } });
    const grade = await compileGrader(spec, () => '')(gradingContext({ answer: '', case: { id: 'c', input: 'bad' } }));
    expect(grade).toMatchObject({ score: 0, evidence: { empty: true } });
    expect(await gradeWithoutPart(spec, grade, [0, 0])).toMatchObject({ score: 0 });
  });

  it('are bounded in depth and number', () => {
    const leaf = { kind: 'includes', of: 'answer', to: 'input' };
    const nested = (depth: number): object => (depth === 1 ? leaf : { kind: 'not', part: nested(depth - 1) });
    expect(GraderSpec.safeParse(nested(5)).success).toBe(true);
    expect(GraderSpec.safeParse(nested(6)).error?.issues[0]).toMatchObject({ path: ['part', 'part', 'part', 'part', 'part'] });
    const wide = (n: number) => ({ kind: 'all', parts: new Array<object>(n).fill({ kind: 'any', parts: [leaf, leaf] }) });
    expect(GraderSpec.safeParse(wide(10)).success).toBe(true);
    expect(GraderSpec.safeParse(wide(11)).error?.issues[0]?.message).toContain('34 graders');
    expect(GraderSpec.safeParse({ kind: 'all', parts: [] }).success).toBe(false);
  });
});
