import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { CaseResult } from '../contracts/evaluation.ts';
import { type Case, Rubric } from '../contracts/rubric.ts';
import { caseResult, smallRubricYaml } from '../test/setup/rubrics.ts';
import { computeMetrics, metricApplies } from './metrics.ts';
import { wilson } from './statistics/wilson.ts';
import { pairUnits } from './units.ts';

const small = parse(smallRubricYaml) as Record<string, unknown>;
const mean = { name: 'm', title: 'Mean', kind: 'mean', of: { criterion: 'right' } };
const rubricOf = (metrics: object[], parts: object = {}): Rubric => Rubric.parse({ ...small, metrics, score: 'm', ...parts });
const options = { level: 0.95, seed: 'seed' };

function compute(metrics: object[], cases: Partial<Case>[], results: CaseResult[], parts: object = {}) {
  const rubric = rubricOf(metrics, parts);
  const phase = cases.map((c, i) => ({ case: { id: `c${i}`, input: null, ...c }, split: 'public' as const }));
  const units = pairUnits(rubric, phase, results);
  if (!units) throw new Error('the results are not those of the cases');
  return computeMetrics(rubric, units, 'answers', options);
}
const scored = (scores: readonly number[]) => scores.map((score, i) => caseResult(`c${i}`, score));
const plain = (count: number): Partial<Case>[] => Array.from({ length: count }, () => ({}));

describe('mean', () => {
  it("is a count with Wilson's interval when every case is right or wrong", () => {
    const { m } = compute([mean], plain(10), scored([1, 1, 1, 1, 1, 1, 1, 0, 0, 0]));
    expect(m).toEqual({ value: 0.7, ...wilson(7, 10, 0.95), method: 'wilson', numerator: 7, denominator: 10 });
  });

  it("takes Wilson's interval for partial scores too: whether all are 0 or 1 does not choose the method", () => {
    const { m } = compute([mean], plain(6), scored([0.2, 0.4, 0.6, 0.8, 1, 0]));
    expect(m).toEqual({ value: 0.5, ...wilson(3, 6, 0.95), method: 'wilson' });
    expect(m).not.toHaveProperty('numerator');
  });

  it('keeps its count but is bootstrapped over groups, which widens it', () => {
    const cases = Array.from({ length: 40 }, (_, i) => ({ group: `g${Math.floor(i / 10)}` }));
    const scores = cases.map((_, i) => (i < 20 ? 1 : 0));
    const { m } = compute([mean], cases, scored(scores));
    expect(m).toMatchObject({ value: 0.5, method: 'bootstrap', numerator: 20, denominator: 40 });
    const alone = wilson(20, 40, 0.95);
    expect(m!.upper - m!.lower).toBeGreaterThan(alone.upper - alone.lower);
  });

  it('averages trials inside their case', () => {
    const results = [0, 1].flatMap((trial) => [caseResult('c0', 1, { trial }), caseResult('c1', trial, { trial })]);
    const { m } = compute([mean], plain(2), results, { trials: 2 });
    expect(m).toEqual({ value: 0.75, ...wilson(1.5, 2, 0.95), method: 'wilson' });
  });

  it('of the case score uses the weighted one', () => {
    const results = [caseResult('c0', 1, { score: 0.25 })];
    expect(compute([{ ...mean, of: 'case-score' }], plain(1), results).m).toMatchObject({ value: 0.25 });
  });

  it("never claims certainty because all scores agree: then Wilson's interval on the clusters stands", () => {
    const { m } = compute([mean], plain(5), scored([0.5, 0.5, 0.5, 0.5, 0.5]));
    expect(m).toEqual({ value: 0.5, ...wilson(2.5, 5, 0.95), method: 'wilson' });
    const grouped = compute([mean], [{ group: 'g' }, { group: 'g' }, { group: 'h' }], scored([1, 1, 1])).m;
    expect(grouped).toMatchObject({ value: 1, lower: wilson(2, 2, 0.95).lower, upper: 1, method: 'wilson', numerator: 3 });
  });
});

describe('group-mean', () => {
  const balanced = { name: 'm', title: 'Balanced', kind: 'group-mean', criterion: 'right', by: 'expected/label' };
  const labelled = (safe: number, unsafe: number): Partial<Case>[] => [
    ...Array.from({ length: safe }, () => ({ expected: { label: 'safe' } })),
    ...Array.from({ length: unsafe }, () => ({ expected: { label: 'unsafe' } })),
  ];

  it('weighs groups alike, whatever their sizes', () => {
    const { m } = compute([balanced], labelled(8, 2), scored([1, 1, 1, 1, 1, 1, 1, 0, 1, 0]));
    expect(m!.value).toBeCloseTo((7 / 8 + 1 / 2) / 2, 12);
    expect(m!.method).toBe('bootstrap');
    expect(m!.lower).toBeLessThan(m!.value);
  });

  it('gives a submission that refuses everything one half, with a width', () => {
    const observations = 4 / (1 / 25 + 1 / 20);
    const { m } = compute([balanced], labelled(25, 20), scored([...new Array(25).fill(0), ...new Array(20).fill(1)]));
    expect(m).toEqual({ value: 0.5, ...wilson(observations / 2, observations, 0.95), method: 'wilson' });
  });
});

describe('lift and weighted', () => {
  const lift = { name: 'l', title: 'Lift', kind: 'lift', of: 'm', prior: 0.2 };

  it('lift moves the value and both bounds', () => {
    const { m, l } = compute([mean, lift], plain(4), scored([1, 1, 0, 0]));
    const moved = (x: number) => (x - 0.2) / 0.8;
    expect(l).toEqual({ value: moved(m!.value), lower: moved(m!.lower), upper: moved(m!.upper), method: 'wilson' });
  });

  it('weighted takes the bounds of its parts: that opposite parts cancel is seen in the value only', () => {
    const criteria = ['right', 'other'].map((name) => ({ name, title: name, grader: { kind: 'equals', of: 'answer', to: 'expected' } }));
    const metrics = [
      mean,
      { ...mean, name: 'o', of: { criterion: 'other' } },
      { name: 'w', title: 'W', kind: 'weighted', of: { m: 1, o: 1 } },
    ];
    const results = Array.from({ length: 20 }, (_, i) => {
      const right = i / 20;
      const base = caseResult(`c${i}`, right);
      return { ...base, grades: [...base.grades, { ...base.grades[0]!, criterion: 'other', score: i === 0 ? 0.9 : 1 - right }] };
    });
    const { m, o, w } = compute(metrics, plain(20), results, { criteria });
    expect(w!.value).toBeCloseTo((m!.value + (10.5 - 0.1) / 20) / 2, 12);
    expect(w!.lower).toBeCloseTo((m!.lower + o!.lower) / 2, 12);
    expect(w!.upper).toBeCloseTo((m!.upper + o!.upper) / 2, 12);
  });

  it('weighted of perfect parts takes their bounds', () => {
    const metrics = [mean, { ...mean, name: 'o' }, { name: 'w', title: 'W', kind: 'weighted', of: { m: 1, o: 3 } }];
    const { w } = compute(metrics, plain(5), scored([1, 1, 1, 1, 1]));
    expect(w).toMatchObject({ value: 1, lower: expect.closeTo(wilson(5, 5, 0.95).lower, 12), upper: 1, method: 'wilson' });
  });
});

it('leaves out metrics whose criteria are for another kind of submission', () => {
  const criteria = [
    { name: 'right', title: 'R', grader: { kind: 'equals', of: 'answer', to: 'expected' } },
    { name: 'code', title: 'C', for: ['program'], grader: { kind: 'equals', of: 'answer', to: 'expected' } },
  ];
  const metrics = [
    mean,
    { ...mean, name: 'c', of: { criterion: 'code' } },
    { name: 'w', title: 'W', kind: 'weighted', of: { m: 1, c: 1 } },
  ];
  const rubric = rubricOf(metrics, { criteria });
  expect(rubric.metrics.map((metric) => metricApplies(rubric, metric, 'answers'))).toEqual([true, false, false]);
  expect(Object.keys(compute(metrics, plain(1), scored([1]), { criteria }))).toEqual(['m']);
});

it('handles 5,000 clustered cases and 2,000 resamples in about a second', () => {
  const cases = Array.from({ length: 5000 }, (_, i) => ({ group: `g${i % 1500}` }));
  const startedAt = performance.now();
  compute([mean], cases, scored(cases.map((_, i) => (i % 3 === 0 ? 1 : 0))));
  expect(performance.now() - startedAt).toBeLessThan(3000);
});
