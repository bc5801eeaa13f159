import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import { exactLowerBound } from './exact-binomial.ts';
import { normalQuantile } from './normal.ts';
import { fewestHits, flawlessTrials, proportionPower, trialsForPower } from './power.ts';

const money = { threshold: 0.95, level: 0.95 };

describe('power of a pass rule on the exact lower bound', () => {
  it('asks for Wilks’ 59 flawless trials at 95 % and 95 %, 299 at 99 % and 95 %', () => {
    expect(flawlessTrials(money)).toBe(59);
    expect(flawlessTrials({ threshold: 0.99, level: 0.95 })).toBe(299);
    expect(trialsForPower(0.9, 0.05, money)).toBe(59);
    expect([fewestHits(58, money), fewestHits(59, money), fewestHits(93, money)]).toEqual([null, 59, 92]);
  });

  it('passes exactly where the bound reaches the threshold', () => {
    for (const test of [money, { threshold: 0.3, level: 0.9 }, { threshold: 0.8, level: 0.975 }])
      for (const n of [5, 20, 61, 200]) {
        const hits = fewestHits(n, test);
        const passing = Array.from({ length: n + 1 }, (_, k) => k).find((k) => exactLowerBound(k, n, test.level) >= test.threshold);
        expect(hits).toBe(passing ?? null);
      }
  });

  it('has size 1 − level at most where the truth is the threshold, and agrees with 20,000 seeded draws elsewhere', () => {
    for (const n of [60, 100, 300]) expect(proportionPower(n, 0.95, money)).toBeLessThanOrEqual(0.05);
    const random = seededRandom('power');
    const hits = fewestHits(200, money) as number;
    let passed = 0;
    for (let run = 0; run < 20_000; run++) {
      let count = 0;
      for (let trial = 0; trial < 200; trial++) if (random() < 0.98) count++;
      if (count >= hits) passed++;
    }
    expect(passed / 20_000).toBeCloseTo(proportionPower(200, 0.98, money), 1);
    expect(Math.abs(passed / 20_000 - proportionPower(200, 0.98, money))).toBeLessThan(0.012);
  });

  it('needs about the trials of the textbook’s normal formula', () => {
    const [p0, p1] = [0.5, 0.6];
    const [a, b] = [normalQuantile(0.95), normalQuantile(0.8)];
    const textbook = ((a * Math.sqrt(p0 * (1 - p0)) + b * Math.sqrt(p1 * (1 - p1))) / (p1 - p0)) ** 2;
    const exact = trialsForPower(0.8, 0.1, { threshold: p0, level: 0.95 });
    expect(Math.abs(exact / textbook - 1)).toBeLessThan(0.06);
    expect(proportionPower(exact, p1, { threshold: p0, level: 0.95 })).toBeGreaterThanOrEqual(0.8);
  });

  it('rises with the true share and falls with the threshold', () => {
    const powers = [0.95, 0.96, 0.97, 0.98, 0.99, 1].map((share) => proportionPower(200, share, money));
    expect(powers).toEqual(powers.toSorted((x, y) => x - y));
    expect(powers.at(-1)).toBe(1);
    expect(proportionPower(200, 0.98, { threshold: 0.9, level: 0.95 })).toBeGreaterThan(powers[3] as number);
    expect(trialsForPower(0.8, 0.04, money)).toBeLessThan(trialsForPower(0.8, 0.03, money));
  });

  it('refuses questions without an answer', () => {
    expect(() => trialsForPower(0.8, 0.2, money)).toThrow(/margin/);
    expect(() => trialsForPower(0.8, 0, money)).toThrow(/margin/);
    expect(() => trialsForPower(0.99, 0.001, money, 500)).toThrow(/more than 500/);
    expect(() => fewestHits(0, money)).toThrow(/trials/);
    expect(() => proportionPower(10, 0.5, { threshold: 1, level: 0.95 })).toThrow(/threshold/);
  });
});
