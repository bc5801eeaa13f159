import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measure } from './confusion.ts';

/** tp, fp, fn, tn, then accuracy, precision, recall, F1, κ as computed with other software; the precise counts are the published ones. */
const published: [string, number[], number[]][] = [
  ['JailbreakEval lapid2023open', [0, 0, 31, 19], [0.38, 0, 0, 0, 0]],
  ['JailbreakEval liu2024autodan-implementation', [19, 17, 12, 2], [0.42, 0.527778, 0.612903, 0.567164, -0.296959]],
  ['JailbreakEval liu2024autodan-keyword', [26, 18, 5, 1], [0.54, 0.590909, 0.83871, 0.693333, -0.125245]],
  ['JailbreakEval zhang2024intention-keyword', [26, 19, 5, 0], [0.52, 0.577778, 0.83871, 0.684211, -0.188119]],
  ['JailbreakEval zou2023universal', [31, 18, 0, 1], [0.64, 0.632653, 1, 0.775, 0.064449]],
  ['XSTest GPT-4, judge', [192, 0, 28, 230], [0.937778, 1, 0.872727, 0.932039, 0.875149]],
  ['XSTest GPT-4, keywords', [208, 17, 12, 213], [0.935556, 0.924444, 0.945455, 0.934831, 0.871111]],
  ['XSTest Mistral-guard, judge', [159, 2, 81, 208], [0.815556, 0.987578, 0.6625, 0.793017, 0.637976]],
  ['XSTest Mistral-guard, keywords', [163, 9, 77, 201], [0.808889, 0.947674, 0.679167, 0.791262, 0.623687]],
];
const of = ([tp = 0, fp = 0, fn = 0, tn = 0]: number[]) => measure({ tp, fp, fn, tn }, 0.95);

describe('measures of a grader', () => {
  it.each(published)('are the published ones for %s', (_, counts, expected) => {
    const { n, accuracy, precision, recall, f1, kappa } = of(counts);
    expect(n).toBe(counts.reduce((sum, x) => sum + x, 0));
    for (const [i, value] of [accuracy, precision, recall, f1, kappa].entries()) expect(value).toBeCloseTo(expected[i] as number, 6);
  });

  it('lie inside their intervals, F1 is the harmonic mean, and swapping grader and human swaps precision and recall', () => {
    const cell = fc.integer({ min: 0, max: 500 });
    fc.assert(
      fc.property(cell, cell, cell, cell, (tp, fp, fn, tn) => {
        fc.pre(tp > 0);
        const one = of([tp, fp, fn, tn]);
        expect(one.f1).toBeCloseTo((2 * one.precision * one.recall) / (one.precision + one.recall), 12);
        for (const name of ['accuracy', 'precision', 'recall', 'f1', 'kappa'] as const) {
          const [value, interval] = [one[name], one.intervals[name]];
          if (value === null || interval === null) continue;
          expect(interval.lower).toBeLessThanOrEqual(value + 1e-12);
          expect(interval.upper).toBeGreaterThanOrEqual(value - 1e-12);
        }
        const swapped = of([tp, fn, fp, tn]);
        expect([swapped.precision, swapped.recall]).toEqual([one.recall, one.precision]);
        if (one.kappa !== null) expect(swapped.kappa).toBeCloseTo(one.kappa, 12);
      }),
    );
  });

  it('claim nothing about what never occurred', () => {
    const silent = of([0, 0, 4, 6]);
    expect(silent).toMatchObject({ precision: 0, recall: 0, f1: 0 });
    expect(silent.intervals.precision).toEqual({ lower: 0, upper: 1 });
    expect(of([0, 0, 0, 9])).toMatchObject({ accuracy: 1, kappa: null, intervals: { kappa: null } });
  });
});
