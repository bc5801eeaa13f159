import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import { type AlphaOptions, krippendorffAlpha, type Rating } from './krippendorff-alpha.ts';

const nominal: AlphaOptions = { metric: 'nominal', level: 0.95, seed: 'units' };
const interval: AlphaOptions = { ...nominal, metric: 'interval' };

/** One line per rater, `.` where the rating is missing. */
const table = (...raters: string[]): Rating[][] => {
  const lines = raters.map((line) => line.split(' ').map((cell) => (cell === '.' ? null : Number(cell))));
  return (lines[0] as Rating[]).map((_, unit) => lines.map((line) => line[unit] ?? null));
};

/** Independent: the definition by pairs of ratings, with no coincidence counts. */
function byPairs(units: readonly (readonly Rating[])[], distance: (a: Rating, b: Rating) => number): number {
  const rated = units.map((unit) => unit.filter((rating) => rating !== null)).filter((unit) => unit.length > 1);
  const all = rated.flat();
  const pairs = (list: readonly Rating[]) =>
    list.reduce((sum: number, a, i) => sum + list.reduce((inner: number, b, j) => (i === j ? inner : inner + distance(a, b)), 0), 0);
  const observed = rated.reduce((sum, unit) => sum + pairs(unit) / (unit.length - 1), 0) / all.length;
  return 1 - observed / (pairs(all) / (all.length * (all.length - 1)));
}

describe('Krippendorff’s α', () => {
  it('gives the published example of 4 observers and 12 units (Krippendorff 2011): 0.743 nominal, 0.849 interval', () => {
    const units = table('1 2 3 3 2 1 4 1 2 . . .', '1 2 3 3 2 2 4 1 2 5 . 3', '. 3 3 3 2 3 4 2 2 5 1 .', '1 2 3 3 2 4 4 1 2 5 1 .');
    const alpha = krippendorffAlpha(units, nominal);
    expect(alpha?.value).toBeCloseTo(0.743, 3);
    expect(alpha).toMatchObject({ units: 11, ratings: 40 });
    expect(krippendorffAlpha(units, interval)?.value).toBeCloseTo(0.849, 3);
  });

  it('gives the published example of 3 coders and 15 units: 0.691 nominal, 0.811 interval', () => {
    const units = table('. . . . . 3 4 1 2 1 1 3 3 . 3', '1 . 2 1 3 3 4 3 . . . . . . .', '. . 2 1 3 4 4 . 2 1 1 3 3 . 4');
    expect(krippendorffAlpha(units, nominal)?.value).toBeCloseTo(0.691, 3);
    expect(krippendorffAlpha(units, interval)?.value).toBeCloseTo(0.811, 3);
  });

  it('equals the definition by pairs; no order of raters or units matters; a shift and a scale do not', () => {
    const rating = fc.option(fc.integer({ min: 0, max: 4 }), { nil: null });
    const units = fc.array(fc.array(rating, { minLength: 3, maxLength: 3 }), { minLength: 4, maxLength: 25 });
    fc.assert(
      fc.property(units, (drawn) => {
        const one = krippendorffAlpha(drawn, nominal);
        const two = krippendorffAlpha(drawn, interval);
        expect(one === null).toBe(two === null);
        if (!one || !two) return;
        expect(one.value).toBeCloseTo(
          byPairs(drawn, (a, b) => (a === b ? 0 : 1)),
          9,
        );
        expect(two.value).toBeCloseTo(
          byPairs(drawn, (a, b) => (Number(a) - Number(b)) ** 2),
          9,
        );
        const turned = drawn.map((unit) => unit.toReversed()).toReversed();
        expect(krippendorffAlpha(turned, nominal)?.value).toBeCloseTo(one.value, 9);
        const moved = drawn.map((unit) => unit.map((value) => (value === null ? null : 1_000_000 + 7 * value)));
        expect(krippendorffAlpha(moved, interval)?.value).toBeCloseTo(two.value, 6);
        expect(one.lower).toBeLessThanOrEqual(one.value);
        expect(one.upper).toBeGreaterThanOrEqual(one.value);
      }),
      { numRuns: 40 },
    );
  });

  it('is 1 in full agreement, near 0 by chance, and narrower with more units', () => {
    expect(krippendorffAlpha(table('1 2 1 2', '1 2 1 2'), nominal)?.value).toBe(1);
    const chance = (n: number) => Array.from({ length: n }, (_, i): Rating[] => [i % 2, (i >> 1) % 2]);
    const [few, many] = [krippendorffAlpha(chance(40), nominal), krippendorffAlpha(chance(4000), nominal)];
    expect(many?.value).toBeCloseTo(0, 2);
    expect((many?.upper ?? 1) - (many?.lower ?? 0)).toBeLessThan(0.2 * ((few?.upper ?? 0) - (few?.lower ?? 1)));
    expect(krippendorffAlpha(chance(40), nominal)).toEqual(few);
  });

  it('has about the same interval by jackknife, from 2,001 units on, as by bootstrap below', () => {
    const random = seededRandom('many units');
    const units = Array.from({ length: 2001 }, (): Rating[] => {
      const truth = Math.floor(random() * 3);
      return [0, 1, 2].map(() => (random() < 0.1 ? null : random() < 0.8 ? truth : Math.floor(random() * 3)));
    });
    for (const options of [nominal, interval]) {
      const [by, before] = [krippendorffAlpha(units, options), krippendorffAlpha(units.slice(0, 2000), options)];
      expect(Math.abs((by?.lower ?? 0) - (before?.lower ?? 1))).toBeLessThan(0.004);
      expect(Math.abs((by?.upper ?? 0) - (before?.upper ?? 1))).toBeLessThan(0.004);
      expect((by?.upper ?? 1) - (by?.lower ?? 0)).toBeLessThan(0.08);
    }
  });

  it('is not defined without pairs or without a difference, and refuses what is no rating', () => {
    expect(krippendorffAlpha([[1, null], [null], []], nominal)).toBeNull();
    expect(krippendorffAlpha(table('1 1', '1 1'), nominal)).toBeNull();
    expect(krippendorffAlpha(table('7 7', '7 7'), interval)).toBeNull();
    expect(() => krippendorffAlpha([['a', 'b']], interval)).toThrow(/finite numbers/);
    expect(() =>
      krippendorffAlpha(
        Array.from({ length: 101 }, (_, i) => [i, i]),
        nominal,
      ),
    ).toThrow(/101 different values/);
  });
});
