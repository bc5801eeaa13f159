import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { CaseResult } from '../contracts/evaluation.ts';
import { type Case, Rubric } from '../contracts/rubric.ts';
import { caseResult, grade, smallRubricYaml } from '../test/setup/rubrics.ts';
import { computeMetrics, type MetricValues } from './metrics.ts';
import { wilson } from './statistics/wilson.ts';
import { pairUnits } from './units.ts';

/**
 * The kinds of metric that filter, group or combine, on numbers a reader can compute by hand, and what holds for any
 * numbers at all.
 */
const small = parse(smallRubricYaml) as Record<string, unknown>;
const grader = { kind: 'equals', of: 'answer', to: 'expected' };
const criteria = ['right', 'valid'].map((name) => ({ name, title: name, grader }));
const options = { level: 0.95, seed: 'seed' };

interface Row {
  right: number;
  valid?: number;
  input?: Case['input'];
  group?: string;
}

function compute(metrics: readonly object[], rows: readonly (Row | Row[])[], order: 'as-is' | 'reversed' = 'as-is'): MetricValues {
  const trials = Array.isArray(rows[0]) ? rows[0].length : 1;
  const last = (metrics.at(-1) as { name: string }).name;
  const rubric = Rubric.parse({ ...small, criteria, metrics, score: last, trials });
  const runsOf = (row: Row | Row[]) => (Array.isArray(row) ? row : [row]);
  const phase = rows.map((row, i) => {
    const { input = null, group } = runsOf(row)[0] as Row;
    return { case: { id: `c${i}`, input, ...(group === undefined ? {} : { group }) }, split: 'public' as const };
  });
  const results = rows.flatMap((row, i) =>
    runsOf(row).map(({ right, valid = 1 }, trial): CaseResult => {
      const grades = [grade('right', right), grade('valid', valid)];
      return caseResult(`c${i}`, right, { trial, grades });
    }),
  );
  const units = pairUnits(rubric, phase, order === 'as-is' ? results : results.toReversed());
  if (!units) throw new Error('the results are not those of the cases');
  return computeMetrics(rubric, units, 'answers', options);
}

const mean = (name: string, more: object = {}) => ({ name, title: name, kind: 'mean', of: { criterion: 'right' }, ...more });
const of = (side: string) => ({ where: { of: 'input', is: [side] } });
const sided = (side: string, scores: readonly number[]): Row[] => scores.map((right) => ({ right, input: side }));

describe('a mean where', () => {
  it('counts its cases alone, in the share and in the interval', () => {
    const rows = [...sided('benign', [1, 1, 1, 0]), ...sided('attack', [0, 0, 1, 0, 0, 0, 0, 0])];
    const { m } = compute([mean('m', of('attack'))], rows);
    expect(m).toEqual({ value: 1 / 8, ...wilson(1, 8, 0.95), method: 'wilson', numerator: 1, denominator: 8 });
  });

  it('accepts several texts, and of partial scores is bounded without the others', () => {
    const rows = [...sided('a', [0.2, 0.4]), ...sided('b', [0.6, 0.8]), ...sided('c', [0, 0, 0, 0])];
    const { m } = compute([mean('m', { where: { of: 'input', is: ['a', 'b'] } })], rows);
    expect(m!.value).toBeCloseTo(0.5, 12);
    expect(m!.lower).toBeCloseTo(wilson(2, 4, 0.95).lower, 12);
    expect(m!.upper).toBeCloseTo(wilson(2, 4, 0.95).upper, 12);
  });

  it('whose clusters agree takes the interval of the clusters it counts', () => {
    const rows: Row[] = [0, 1, 2].flatMap((g) => [
      { right: 0.5, input: 'in', group: `g${g}` },
      { right: 1, input: 'out', group: `h${g}` },
    ]);
    expect(compute([mean('m', of('in'))], rows).m).toEqual({ value: 0.5, ...wilson(1.5, 3, 0.95), method: 'wilson' });
  });
});

describe('a conditional mean', () => {
  const conditional = { name: 'm', title: 'ASR-valid', kind: 'conditional-mean', of: { criterion: 'right' }, given: 'valid' };

  it('is attack success among valid runs: 3 of 4, where all ten would give 3 of 10', () => {
    const rows = [1, 1, 1, 0].map((right): Row => ({ right })).concat(new Array<Row>(6).fill({ right: 0, valid: 0 }));
    expect(compute([conditional], rows).m).toEqual({ value: 0.75, ...wilson(3, 4, 0.95), method: 'wilson', numerator: 3, denominator: 4 });
  });

  it('does not count a success of a run that is not valid', () => {
    expect(
      compute(
        [conditional],
        [
          { right: 1, valid: 0 },
          { right: 0, valid: 1 },
        ],
      ).m,
    ).toMatchObject({ value: 0, numerator: 0, denominator: 1 });
  });

  it('pairs success and validity inside one trial, never across trials', () => {
    const trials: Row[] = [
      { right: 1, valid: 0 },
      { right: 0, valid: 1 },
    ];
    expect(compute([conditional], [trials, trials]).m).toMatchObject({ value: 0 });
  });

  it('is 0 where nothing is valid, and then says that it knows nothing', () => {
    const none = new Array<Row>(5).fill({ right: 1, valid: 0 });
    expect(compute([conditional], none).m).toMatchObject({ value: 0, lower: 0, upper: 1, denominator: 0 });
    const grouped = none.map((row, i) => ({ ...row, group: `g${i}` }));
    expect(compute([conditional], grouped).m).toMatchObject({ value: 0, lower: 0, upper: 1 });
  });

  it('survives resamples in which nothing is valid', () => {
    const rows: Row[] = [{ right: 0.5, valid: 1 }, ...new Array<Row>(9).fill({ right: 0.5, valid: 0 })];
    const { m } = compute([conditional], rows);
    expect([m!.value, m!.lower, m!.upper].every(Number.isFinite)).toBe(true);
    expect(m).toMatchObject({ value: 0.5, lower: 0 });
  });
});

describe('means of groups', () => {
  const kind = (name: string, more: object = {}) => ({ name: 'm', title: 'M', kind: name, criterion: 'right', by: 'input', ...more });

  it('harmonic: 0.8 and 0.2 give 0.32, and a model that is never broken makes it 0', () => {
    const rows = [...sided('one', [1, 1, 1, 1, 0]), ...sided('two', [1, 0, 0, 0, 0])];
    const { m } = compute([kind('harmonic-mean')], rows);
    expect(m!.value).toBeCloseTo(2 / (1 / 0.8 + 1 / 0.2), 12);
    expect(m!.value).toBeCloseTo(0.32, 12);
    expect(compute([kind('harmonic-mean')], [...sided('one', [1, 1]), ...sided('two', [0, 0])]).m!.value).toBe(0);
  });

  it("harmonic: a group without spread stands at the bound of Wilson's interval, not at its value", () => {
    const rows = [...sided('one', [1, 1, 1]), ...sided('two', [1, 1, 0, 1, 0, 1])];
    const { m } = compute([kind('harmonic-mean')], rows);
    const [one, two] = [wilson(3, 3, 0.95), wilson(4, 6, 0.95)];
    expect(m!.lower).toBeCloseTo(2 / (1 / one.lower + 1 / two.lower), 12);
    // A resample of six may hold no failure: the bootstrap's upper bound, 1, is the wider one here.
    expect(m!.upper).toBe(1);
  });

  it('coverage: three of four groups reach one half; by default and by another bound', () => {
    const rows = [...sided('a', [1, 0]), ...sided('b', [1, 1]), ...sided('c', [0.4, 0.4]), ...sided('d', [1, 0])];
    expect(compute([kind('coverage')], rows).m!.value).toBe(3 / 4);
    expect(compute([kind('coverage', { atLeast: 0.9 })], rows).m!.value).toBe(1 / 4);
  });

  it('coverage: reaches a third by three scores that add up to it in floating point only', () => {
    expect(compute([kind('coverage', { atLeast: 0.7 })], sided('a', [0.6, 0.7, 0.8])).m!.value).toBe(1);
  });

  it('coverage without spread is a share of groups, not of cases', () => {
    const rows = ['a', 'b', 'c'].flatMap((side) => sided(side, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]));
    expect(compute([kind('coverage')], rows).m).toEqual({ value: 1, ...wilson(3, 3, 0.95), method: 'wilson' });
  });

  it('a cluster that lies in several groups is resampled whole: two models that fail together are one observation', () => {
    const together = Array.from({ length: 20 }, (_, i): Row[] =>
      ['one', 'two'].map((input) => ({ right: i % 2 ? 0.9 : 0.1, input, group: `b${i}` })),
    ).flat();
    const apart = together.map(({ right, input }) => ({ right, input: input as string }));
    const width = ({ m }: MetricValues) => m!.upper - m!.lower;
    expect(width(compute([kind('group-mean')], together))).toBeGreaterThan(1.25 * width(compute([kind('group-mean')], apart)));
  });
});

describe('metrics of metrics', () => {
  const leak = mean('leak', of('attack'));
  const use = mean('use', of('benign'));
  const ofMetrics = (kind: string, rest: object) => ({ name: 'm', title: 'M', kind, ...rest });
  const rows = [...sided('attack', [1, 0, 0, 0, 0]), ...sided('benign', [1, 1, 1, 0])];

  it('a product takes factors as they are or as one minus them: (1 − 0.2) · 0.75', () => {
    const { m } = compute([leak, use, ofMetrics('product', { of: [{ metric: 'leak', complement: true }, { metric: 'use' }] })], rows);
    expect(m!.value).toBeCloseTo(0.6, 12);
    expect(m!.lower).toBeCloseTo((1 - wilson(1, 5, 0.95).upper) * wilson(3, 4, 0.95).lower, 12);
    expect(m!.method).toBe('wilson');
  });

  it('no leak in five cases is no proof of no leaks: the product takes the bounds of its factors', () => {
    const none = [...sided('attack', [0, 0, 0, 0, 0]), ...sided('benign', [1, 1, 1, 0])];
    const { m } = compute([leak, use, ofMetrics('product', { of: [{ metric: 'leak', complement: true }, { metric: 'use' }] })], none);
    expect(m!.value).toBe(0.75);
    expect(m!.lower).toBeCloseTo((1 - wilson(0, 5, 0.95).upper) * wilson(3, 4, 0.95).lower, 12);
    expect(m!.upper).toBeCloseTo(wilson(3, 4, 0.95).upper, 12);
  });

  it('a difference may be negative, with an interval around it', () => {
    const { m } = compute([leak, use, ofMetrics('difference', { of: 'leak', minus: 'use' })], rows);
    expect(m!.value).toBeCloseTo(0.2 - 0.75, 12);
    expect(m!.lower).toBeLessThan(m!.value);
    expect(m!.lower).toBeGreaterThanOrEqual(-1);
    const flat = compute(
      [leak, use, ofMetrics('difference', { of: 'leak', minus: 'use' })],
      [...sided('attack', [0, 0]), ...sided('benign', [1, 1])],
    ).m!;
    expect(flat.value).toBe(-1);
    expect(flat.upper).toBeCloseTo(wilson(0, 2, 0.95).upper - wilson(2, 2, 0.95).lower, 12);
  });

  it('a negative factor swaps the bounds it is multiplied with', () => {
    const gap = { name: 'gap', title: 'Gap', kind: 'difference', of: 'leak', minus: 'use' };
    const {
      gap: inner,
      use: other,
      m,
    } = compute(
      [leak, use, gap, ofMetrics('product', { of: [{ metric: 'gap' }, { metric: 'use' }] })],
      [...sided('attack', [0, 0, 0]), ...sided('benign', [1, 1, 1, 0])],
    );
    expect(m!.value).toBeCloseTo(-0.75 * 0.75, 12);
    expect(m!.lower).toBeCloseTo(inner!.lower * other!.upper, 12);
  });

  it('relative divides by a base, and is capped unless told otherwise', () => {
    const relative = (capped?: boolean) => ofMetrics('relative', { of: 'use', base: 0.6, ...(capped === undefined ? {} : { capped }) });
    expect(compute([use, relative()], rows).m).toMatchObject({ value: 1, upper: 1 });
    const uncapped = compute([use, relative(false)], rows);
    expect(uncapped.m!.value).toBeCloseTo(1.25, 12);
    expect(uncapped.m!.lower).toBeCloseTo(wilson(3, 4, 0.95).lower / 0.6, 12);
    expect(compute([use, ofMetrics('relative', { of: 'use', base: 1.5 })], rows).m!.value).toBeCloseTo(0.5, 12);
  });
});

const share = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const anyRows = fc.array(
  fc.record({ right: share, valid: share, input: fc.constantFrom('a', 'b', 'c'), group: fc.constantFrom('g', 'h', 'i', 'j') }),
  { minLength: 1, maxLength: 24 },
);
const everyKind = [
  mean('mean', of('a')),
  { name: 'conditional', title: 'C', kind: 'conditional-mean', of: { criterion: 'right' }, given: 'valid' },
  { name: 'grouped', title: 'G', kind: 'group-mean', criterion: 'right', by: 'input' },
  { name: 'harmonic', title: 'H', kind: 'harmonic-mean', criterion: 'right', by: 'input' },
  { name: 'coverage', title: 'K', kind: 'coverage', criterion: 'right', by: 'input', atLeast: 0.5 },
  { name: 'product', title: 'P', kind: 'product', of: [{ metric: 'mean', complement: true }, { metric: 'conditional' }] },
  { name: 'difference', title: 'D', kind: 'difference', of: 'grouped', minus: 'mean' },
  { name: 'relative', title: 'R', kind: 'relative', of: 'conditional', base: 0.5 },
  { name: 'lift', title: 'L', kind: 'lift', of: 'coverage', prior: 0.2 },
  { name: 'weighted', title: 'W', kind: 'weighted', of: { product: 2, difference: 1 } },
];

describe('whatever the scores', () => {
  it('every number is finite, inside its interval, and what its parts say', () => {
    fc.assert(
      fc.property(anyRows, fc.boolean(), (rows, grouped) => {
        const values = compute(
          everyKind,
          rows.map(({ group, ...row }) => (grouped ? { ...row, group } : row)),
        );
        for (const [name, { value, lower, upper }] of Object.entries(values)) {
          expect([name, value, lower, upper].slice(1).every(Number.isFinite)).toBe(true);
          expect(lower).toBeLessThanOrEqual(value);
          expect(upper).toBeGreaterThanOrEqual(value);
        }
        const { mean: m, conditional, grouped: g, harmonic, coverage, product, difference, relative } = values as Required<MetricValues>;
        expect(harmonic!.value).toBeLessThanOrEqual(g!.value + 1e-9);
        expect(product!.value).toBeCloseTo((1 - m!.value) * conditional!.value, 9);
        expect(difference!.value).toBeCloseTo(g!.value - m!.value, 9);
        expect(relative!.value).toBeCloseTo(Math.min(1, conditional!.value / 0.5), 9);
        const groups = new Set(rows.map(({ input }) => input)).size;
        expect((coverage!.value * groups) % 1).toBeCloseTo(0, 9);
        for (const one of [m, conditional, g, harmonic, coverage, product]) {
          expect(one!.lower).toBeGreaterThanOrEqual(-1e-9);
          expect(one!.upper).toBeLessThanOrEqual(1 + 1e-9);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('the order of the results changes nothing', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        expect(compute(everyKind, rows, 'reversed')).toEqual(compute(everyKind, rows));
      }),
      { numRuns: 15 },
    );
  });
});
