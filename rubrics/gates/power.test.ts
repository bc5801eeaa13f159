import { describe, expect, it } from 'vitest';
import type { MetricSpec } from '../../contracts/metrics.ts';
import type { Case, Rubric } from '../../contracts/rubric.ts';
import { bytesOf, smallRubricFiles } from '../../test/setup/rubrics.ts';
import { rubricFromFiles } from '../load.ts';
import { verificationCases, verificationPower } from './power.ts';

const base: Rubric = (() => {
  const loaded = rubricFromFiles(bytesOf(smallRubricFiles), '/rubric');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.rubric.rubric;
})();
const rubric = (changes: Partial<Rubric>): Rubric => ({ ...base, ...changes });
const pass = (threshold: number, bound: 'lower' | 'point' = 'lower') => ({ threshold, bound, level: 0.95 }) as const;
const cases = (n: number, group?: (i: number) => string): Case[] =>
  Array.from({ length: n }, (_, i) => ({ id: `c${i}`, input: { half: i % 2 ? 'odd' : 'even' }, ...(group ? { group: group(i) } : {}) }));
const verification = (changes: Partial<Rubric['verification']> = {}) => ({ replicas: 1, agreement: 1, ...changes });

/** P(X ≥ k) for n independent shots of probability p, summed term by term. */
function tail(k: number, n: number, p: number): number {
  let sum = 0;
  for (let i = k; i <= n; i++) {
    let term = p ** i * (1 - p) ** (n - i);
    for (let j = 0; j < i; j++) term *= (n - j) / (j + 1);
    sum += term;
  }
  return sum;
}

describe('the power of the verification rule', () => {
  it('is the binomial probability of enough hits for the exact lower bound', () => {
    // The bound at 0.975 reaches 0.5 with k of 30 hits as soon as P(X >= k | 0.5) <= 0.025.
    const k = Array.from({ length: 31 }, (_, i) => i).find((i) => tail(i, 30, 0.5) <= 0.025)!;
    const found = verificationPower(rubric({ pass: pass(0.5), verification: verification({ margin: 0.25 }) }), cases(30), false);
    expect(found).toMatchObject({ observations: 30, margin: 0.25, score: 0.75, replicas: 1 });
    expect(found?.power).toBeCloseTo(tail(k, 30, 0.75), 10);
  });

  it('takes the default margin, the declared level, and counts groups once', () => {
    expect(verificationPower(rubric({ pass: pass(0.9) }), cases(10), false)?.margin).toBeCloseTo(0.05, 12);
    expect(verificationPower(rubric({ pass: pass(0.5) }), cases(10), false)?.margin).toBe(0.1);
    const strict = verificationPower(rubric({ pass: pass(0.5), verification: verification({ level: 0.99 }) }), cases(100), false);
    const usual = verificationPower(rubric({ pass: pass(0.5), verification: verification() }), cases(100), false);
    expect(strict!.power).toBeLessThan(usual!.power);
    expect(
      verificationPower(
        rubric({ pass: pass(0.5) }),
        cases(40, (i) => `g${i % 8}`),
        false,
      )?.observations,
    ).toBe(8);
  });

  it('needs all replicas, which are independent only where something is drawn', () => {
    const three = rubric({ pass: pass(0.5), verification: verification({ replicas: 3, margin: 0.3 }) });
    const one = verificationPower(three, cases(40), false)!.power;
    expect(verificationPower(three, cases(40), true)!.power).toBeCloseTo(one ** 3, 10);
    const two = rubric({ pass: pass(0.5), verification: verification({ replicas: 3, agreement: 0.6, margin: 0.3 }) });
    expect(verificationPower(two, cases(40), true)!.power).toBeCloseTo(one ** 3 + 3 * one ** 2 * (1 - one), 10);
  });

  it('says how many cases are enough, and that many are', () => {
    const small = rubric({ pass: pass(0.5), verification: verification({ margin: 0.2 }) });
    const { needed, power } = verificationPower(small, cases(20), false)!;
    expect(power).toBeLessThan(0.8);
    expect(verificationPower(small, cases(needed!), false)!.power).toBeGreaterThanOrEqual(0.8);
    expect(verificationPower(small, cases(needed! - 1), false)!.power).toBeLessThan(0.8);
  });

  it('looks through lift and relative scores at the share below, and at groups of a group mean', () => {
    const mean: MetricSpec = { name: 'share', title: 'Share', kind: 'mean', of: 'case-score' };
    const lift: MetricSpec = { name: 'lift', title: 'Lift', kind: 'lift', of: 'share', prior: 0.2 };
    const half: MetricSpec = { name: 'half', title: 'Half', kind: 'relative', of: 'share', base: 0.5, capped: true };
    const plain = verificationPower(
      rubric({ metrics: [mean], score: 'share', pass: pass(0.6), verification: verification({ margin: 0.16 }) }),
      cases(60),
      false,
    );
    const lifted = verificationPower(
      rubric({ metrics: [mean, lift], score: 'lift', pass: pass(0.5), verification: verification({ margin: 0.2 }) }),
      cases(60),
      false,
    );
    expect(lifted!.power).toBeCloseTo(plain!.power, 10);
    expect(lifted!.score).toBeCloseTo(0.7, 12);
    const relative = verificationPower(
      rubric({ metrics: [mean, half], score: 'half', pass: pass(0.5), verification: verification({ margin: 0.4 }) }),
      cases(60),
      false,
    );
    expect(relative!.score).toBeCloseTo(0.9, 12);
    const gain: MetricSpec = { name: 'gain', title: 'Gain', kind: 'difference', of: 'share', minus: 'share' };
    const gained = verificationPower(
      rubric({ metrics: [mean, gain], score: 'gain', pass: pass(0.2), verification: verification({ margin: 0.32 }) }),
      cases(60),
      false,
    );
    expect(gained!.power).toBeCloseTo(plain!.power, 10);
    const groups: MetricSpec = { name: 'balanced', title: 'Balanced', kind: 'group-mean', criterion: 'right', by: 'input/half' };
    const uneven = [...cases(20), ...cases(20).flatMap((c, i) => (i % 2 ? [{ ...c, id: `more${i}` }] : []))];
    // 10 even and 20 odd cases: 4 / (1/10 + 1/20) = 26.67.
    expect(verificationPower(rubric({ metrics: [groups], score: 'balanced', pass: pass(0.5) }), uneven, false)?.observations).toBe(26);
  });

  it('with a rule on the point needs only the hits, and without a share has none', () => {
    const point = rubric({ pass: pass(0.8, 'point'), verification: verification({ margin: 0.1 }) });
    expect(verificationPower(point, cases(10), false)?.power).toBeCloseTo(tail(8, 10, 0.9), 10);
    expect(verificationPower(rubric({ pass: pass(1.5) }), cases(10), false)).toBeNull();
    expect(verificationPower(rubric({ pass: pass(0.5) }), [], false)).toBeNull();
  });
});

it('verification decides on the holdout, else on the largest phase', () => {
  const phases = [
    { name: 'small', title: 'Small', splits: ['public' as const] },
    { name: 'large', title: 'Large', splits: ['public' as const, 'hidden' as const] },
  ];
  const files = { public: cases(2), hidden: cases(5), holdout: [] };
  expect(verificationCases(rubric({ phases }), files)).toHaveLength(7);
  expect(verificationCases(rubric({ phases }), { ...files, holdout: cases(3) })).toHaveLength(3);
});
