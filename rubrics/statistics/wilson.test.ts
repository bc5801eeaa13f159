import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalQuantile } from './normal.ts';
import { wilson } from './wilson.ts';

describe('wilson', () => {
  it('gives the published interval of 81 of 263 (Newcombe 1998, method 3) and the quantiles behind it', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
    expect(normalQuantile(0.995)).toBeCloseTo(2.5758293035489004, 14);
    expect(normalQuantile(0.75)).toBeCloseTo(0.6744897501960817, 14);
    const { lower, upper } = wilson(81, 263, 0.95);
    expect(lower).toBeCloseTo(0.2553, 4);
    expect(upper).toBeCloseTo(0.3662, 4);
    expect(wilson(0, 20, 0.95)).toEqual({ lower: 0, upper: expect.closeTo(0.1611, 4) });
    expect(wilson(1, 29, 0.95).lower).toBeCloseTo(0.0061, 4);
  });

  it('stays inside [0, 1], contains k/n and widens with the level', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0.5, max: 0.99, noNaN: true }),
        (n, share, level) => {
          const k = Math.round(share * n);
          const { lower, upper } = wilson(k, n, level);
          expect(lower).toBeGreaterThanOrEqual(0);
          expect(upper).toBeLessThanOrEqual(1);
          expect(lower).toBeLessThanOrEqual(k / n);
          expect(upper).toBeGreaterThanOrEqual(k / n);
          const wider = wilson(k, n, 0.999);
          expect(wider.upper - wider.lower).toBeGreaterThanOrEqual(upper - lower);
        },
      ),
    );
    expect(wilson(0, 0, 0.95)).toEqual({ lower: 0, upper: 1 });
  });
});
