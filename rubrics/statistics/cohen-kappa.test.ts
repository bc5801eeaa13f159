import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import { cohenKappa } from './cohen-kappa.ts';

const kappaOf = (table: readonly (readonly number[])[]): number => {
  const n = table.flat().reduce((sum, x) => sum + x, 0);
  const row = (i: number) => (table[i] as number[]).reduce((sum, x) => sum + x, 0);
  const column = (j: number) => table.reduce((sum, line) => sum + (line[j] as number), 0);
  const observed = table.reduce((sum, line, i) => sum + (line[i] as number), 0) / n;
  const expected = table.reduce((sum, _, i) => sum + row(i) * column(i), 0) / (n * n);
  return (observed - expected) / (1 - expected);
};

/** Independent error: the delta method with the slope of κ in each cell taken numerically. */
function deltaError(table: readonly (readonly number[])[]): number {
  const n = table.flat().reduce((sum, x) => sum + x, 0);
  const step = n * 1e-6;
  let [first, second] = [0, 0];
  for (const [i, line] of table.entries())
    for (const [j, count] of line.entries()) {
      const moved = (by: number) => table.map((other, a) => other.map((x, b) => (a === i && b === j ? x + by : x)));
      const slope = ((kappaOf(moved(step)) - kappaOf(moved(-step))) / (2 * step)) * n;
      first += (count / n) * slope;
      second += (count / n) * slope ** 2;
    }
  return Math.sqrt((second - first ** 2) / n);
}

describe('Cohen’s κ', () => {
  it('gives Fleiss’s diagnoses of 100 patients: κ 0.68 with a standard error of 0.087', () => {
    const kappa = cohenKappa(
      [
        [75, 1, 4],
        [5, 4, 1],
        [0, 0, 10],
      ],
      0.95,
    );
    expect(kappa?.value).toBeCloseTo(0.68, 2);
    // The book goes on with κ rounded to 0.68, which moves the fourth digit.
    expect(Math.abs((kappa?.error ?? 0) - 0.087)).toBeLessThan(0.001);
    expect(kappa?.lower).toBeCloseTo(0.68 - 1.96 * 0.087, 2);
  });

  it('gives the textbook’s 0.4 for 20, 5, 10, 15', () => {
    const kappa = cohenKappa(
      [
        [20, 5],
        [10, 15],
      ],
      0.95,
    );
    expect(kappa?.value).toBeCloseTo(0.4, 12);
  });

  it('has the error that numerical slopes give; is symmetric; is 1 only in full agreement', () => {
    const cell = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(fc.array(cell, { minLength: 9, maxLength: 9 }), (cells) => {
        const table = [cells.slice(0, 3), cells.slice(3, 6), cells.slice(6)];
        const turned = table.map((_, i) => table.map((line) => line[i] as number));
        const kappa = cohenKappa(table, 0.95);
        expect(kappa?.value).toBeCloseTo(kappaOf(table), 12);
        expect(kappa?.error).toBeCloseTo(deltaError(table), 6);
        expect(cohenKappa(turned, 0.95)?.value).toBeCloseTo(kappa?.value as number, 12);
        expect(cohenKappa(turned, 0.95)?.error).toBeCloseTo(kappa?.error as number, 12);
        expect(kappa?.lower).toBeLessThan(kappa?.value as number);
        expect(kappa?.value).toBeLessThan(1);
      }),
    );
  });

  it('keeps a small perfect sample wide, and says nothing where nothing can be said', () => {
    const perfect = (n: number) =>
      cohenKappa(
        [
          [n, 0],
          [0, n],
        ],
        0.95,
      );
    expect(perfect(4)).toMatchObject({ value: 1, upper: 1, error: 0 });
    expect(perfect(4)?.lower).toBeLessThan(0.4);
    expect(perfect(400)?.lower).toBeGreaterThan(0.98);
    const constant = cohenKappa(
      [
        [0, 31],
        [0, 19],
      ],
      0.95,
    );
    expect(constant?.value).toBeCloseTo(0, 12);
    expect(constant?.lower).toBeLessThan(-0.1);
    const never = [[[0]], [[7]], [[7, 0], [0, 0]]]; // biome-ignore format: three tables on a line
    for (const table of never) expect(cohenKappa(table, 0.95)).toBeNull();
    expect(() => cohenKappa([[1, 2]], 0.95)).toThrow(/square/);
    expect(() => cohenKappa([[-1]], 0.95)).toThrow(/square/);
  });

  it('covers the true κ in 2,000 seeded samples of 200 about as often as it says', () => {
    const shares = [0.35, 0.1, 0.15, 0.4];
    const truth = kappaOf([shares.slice(0, 2), shares.slice(2)]);
    const random = seededRandom('kappa');
    let covered = 0;
    for (let run = 0; run < 2000; run++) {
      const cells = [0, 0, 0, 0];
      for (let row = 0; row < 200; row++) {
        const draw = random();
        const cell = draw < 0.35 ? 0 : draw < 0.45 ? 1 : draw < 0.6 ? 2 : 3;
        cells[cell] = (cells[cell] as number) + 1;
      }
      const kappa = cohenKappa([cells.slice(0, 2), cells.slice(2)], 0.95);
      if (kappa && kappa.lower <= truth && truth <= kappa.upper) covered++;
    }
    expect(covered / 2000).toBeGreaterThan(0.93);
    expect(covered / 2000).toBeLessThan(0.97);
  });
});
