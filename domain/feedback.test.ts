import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../contracts/evaluation.ts';
import type { Split } from '../contracts/rubric.ts';
import { Outcome } from '../contracts/status.ts';
import { showsCases, shownUsage, shownVerdict, standingScore } from './feedback.ts';

const verdict: Verdict = {
  outcome: 'pass',
  reason: null,
  score: 0.7142857,
  interval: [0.3589, 0.9177],
  metrics: { accuracy: { value: 0.7142857, lower: 0.3589, upper: 0.9177, method: 'wilson', numerator: 5, denominator: 7 } },
  criteria: [{ name: 'right', title: 'Right', weight: 1, mean: 0.7142857, graded: 6, errors: 1 }],
};
const policy = (...splits: Split[]) => ({ splits, hiddenRounding: 0.05 });

describe('shownVerdict', () => {
  it('shows all of a phase with public cases only', () => {
    const { outcome: _, reason: __, ...all } = verdict;
    expect(shownVerdict(policy('public'), verdict)).toEqual({ ...all, rounded: false });
  });

  it('rounds what hidden cases went into, intervals outward, and drops every count', () => {
    const shown = shownVerdict(policy('public', 'hidden'), verdict);
    expect(shown).toEqual({
      score: 0.7,
      interval: [0.35, 0.95],
      rounded: true,
      metrics: { accuracy: { value: 0.7, lower: 0.35, upper: 0.95, method: 'wilson' } },
      criteria: [{ name: 'right', title: 'Right', weight: 1, mean: 0.7, graded: 0, errors: 0 }],
    });
    expect(JSON.stringify(shown)).not.toMatch(/7142|numerator/);
  });

  it('tells nothing but the outcome of holdout cases, and nothing of what is unfinished, failed or cancelled', () => {
    const nothing = { score: null, interval: null, metrics: {}, criteria: [] };
    expect(shownVerdict(policy('hidden', 'holdout'), verdict)).toEqual({ ...nothing, rounded: true });
    expect(shownVerdict(policy('public'), null)).toEqual({ ...nothing, rounded: false });
    for (const outcome of ['error', 'cancelled'] as const)
      expect(shownVerdict(policy('public'), { ...verdict, outcome })).toEqual({ ...nothing, rounded: false });
  });

  it('gives only multiples of the step, close to the truth, and an interval that still holds it', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true })),
        fc.constantFrom(0.5, 0.1, 0.05, 0.01, 0.003, 0.0001),
        (score, [a, b], step) => {
          const interval: [number, number] = [Math.min(a, b), Math.max(a, b)];
          const shown = shownVerdict({ splits: ['hidden'], hiddenRounding: step }, { ...verdict, score, interval });
          const steps = shown.score! / step;
          expect(Math.abs(steps - Math.round(steps))).toBeLessThan(1e-5);
          expect(Math.abs(shown.score! - score)).toBeLessThanOrEqual(step / 2 + 1e-9);
          expect(shown.interval![0]).toBeLessThanOrEqual(interval[0] + 1e-9);
          expect(shown.interval![1]).toBeGreaterThanOrEqual(interval[1] - 1e-9);
        },
      ),
    );
  });
});

describe('shownUsage', () => {
  const whole = { calls: 9, inputTokens: 9, outputTokens: 9, costMicros: '9' };
  const ofPublic = { calls: 1, inputTokens: 1, outputTokens: 1, costMicros: '1' };

  it('counts hidden cases out', () => {
    expect(shownUsage(policy('public'), { whole, ofPublic })).toBe(whole);
    expect(shownUsage(policy('public', 'hidden'), { whole, ofPublic })).toBe(ofPublic);
  });
});

describe('showsCases', () => {
  it('shows public cases while they run and when they count', () => {
    expect(showsCases('public', { status: 'running', outcome: null, attemptCost: 'open' })).toBe(true);
    for (const outcome of ['pass', 'fail', 'limit', 'needs_review', 'invalid'] as const)
      expect(showsCases('public', { status: 'done', outcome, attemptCost: 'spent' })).toBe(true);
  });

  it('shows none of a hidden split, of an error, or of what costs nothing', () => {
    for (const split of ['hidden', 'holdout'] as const)
      for (const outcome of Outcome.options) expect(showsCases(split, { status: 'done', outcome, attemptCost: 'spent' })).toBe(false);
    expect(showsCases('public', { status: 'done', outcome: 'error', attemptCost: 'returned' })).toBe(false);
    expect(showsCases('public', { status: 'done', outcome: 'cancelled', attemptCost: 'returned' })).toBe(false);
    expect(showsCases('public', { status: 'parked', outcome: null, attemptCost: 'returned' })).toBe(false);
  });
});

describe('standingScore', () => {
  it('is never more exact than what is shown', () => {
    expect(standingScore(policy('public'), verdict)).toEqual({ score: 0.7142857, interval: [0.3589, 0.9177] });
    expect(standingScore(policy('hidden'), verdict)).toEqual({ score: 0.7, interval: [0.35, 0.95] });
    expect(standingScore(policy('holdout'), verdict)).toEqual({ score: 1, interval: null });
    expect(standingScore(policy('holdout'), { ...verdict, outcome: 'fail' })).toEqual({ score: 0, interval: null });
  });

  it('ranks nothing but pass and fail', () => {
    for (const outcome of Outcome.options.filter((one) => one !== 'pass' && one !== 'fail'))
      expect(standingScore(policy('public'), { ...verdict, outcome })).toBeNull();
  });
});
