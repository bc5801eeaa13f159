import { describe, expect, it } from 'vitest';
import { exactLowerBound } from '../statistics/exact-binomial.ts';
import { checkFloor } from './money-floor.ts';

const floor = (tp: number, fp: number, fn: number, tn: number) => checkFloor({ tp, fp, fn, tn });

describe('the floor for money', () => {
  it('holds with 59 flawless positive verdicts among 200 labels, and not with 58 or with 199 labels', () => {
    expect(floor(59, 0, 41, 100)).toEqual({ holds: true, precisionLowerBound: exactLowerBound(59, 59, 0.95), reasons: [] });
    expect(floor(58, 0, 42, 100)).toMatchObject({ holds: false, reasons: [expect.stringContaining('it takes 59 positive verdicts')] });
    expect(floor(59, 0, 40, 100)).toMatchObject({ holds: false, reasons: ['199 labels where 200 are needed'] });
  });

  it('asks for the published 93, 124 and 153 verdicts with 1, 2 and 3 false ones', () => {
    for (const [fp, needed] of [
      [1, 93],
      [2, 124],
      [3, 153],
    ] as const) {
      // biome-ignore format: pairs
      expect(floor(needed - fp, fp, 100, 100).holds).toBe(true);
      expect(floor(needed - fp - 1, fp, 100, 100).reasons).toEqual([expect.stringContaining(`it takes ${needed} positive verdicts`)]);
    }
  });

  it('does not hold for a grader that never says yes, however many labels there are', () => {
    expect(floor(0, 0, 500, 500)).toEqual({
      holds: false,
      precisionLowerBound: 0,
      reasons: ['the grader called nothing positive, so its precision is not known'],
    });
  });

  it('does not hold on recall or accuracy: perfect recall with false positives fails, poor recall without them passes', () => {
    expect(floor(100, 20, 0, 880).holds).toBe(false);
    expect(floor(100, 0, 900, 0).holds).toBe(true);
  });
});
