import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { CaseResult } from '../contracts/evaluation.ts';
import { Rubric } from '../contracts/rubric.ts';
import { caseResult, smallRubricYaml } from '../test/setup/rubrics.ts';
import { computeMetrics, type MetricValues } from './metrics.ts';
import { seededRandom } from './random.ts';
import { pairUnits } from './units.ts';

/** What a bound owes a submission: a better one never gets a lower one, and it holds its level with few clusters. */
const small = parse(smallRubricYaml) as Record<string, unknown>;
const right = { criterion: 'right' };
const where = { of: 'input', is: ['a'] };
const rising = [
  { name: 'mean', title: 'M', kind: 'mean', of: right },
  { name: 'part', title: 'M', kind: 'mean', of: right, where },
  { name: 'grouped', title: 'G', kind: 'group-mean', criterion: 'right', by: 'input' },
  { name: 'harmonic', title: 'H', kind: 'harmonic-mean', criterion: 'right', by: 'input' },
  { name: 'coverage', title: 'K', kind: 'coverage', criterion: 'right', by: 'input', atLeast: 0.5 },
  { name: 'lift', title: 'L', kind: 'lift', of: 'mean', prior: 0.2 },
  { name: 'relative', title: 'R', kind: 'relative', of: 'mean', base: 0.5 },
  { name: 'weighted', title: 'W', kind: 'weighted', of: { part: 1, lift: 2 } },
  { name: 'product', title: 'P', kind: 'product', of: [{ metric: 'part' }, { metric: 'grouped' }] },
];

interface Row {
  input: string;
  group: string;
  scores: number[];
}

function compute(metrics: readonly object[], rows: readonly Row[], grouped: boolean): MetricValues {
  const [first] = rows as [Row, ...Row[]];
  const rubric = Rubric.parse({ ...small, metrics, score: 'mean', trials: first.scores.length });
  const phase = rows.map(({ input, group }, i) => ({
    case: { id: `c${i}`, input, ...(grouped ? { group } : {}) },
    split: 'public' as const,
  }));
  const results: CaseResult[] = rows.flatMap(({ scores }, i) => scores.map((score, trial) => caseResult(`c${i}`, score, { trial })));
  const units = pairUnits(rubric, phase, results);
  if (!units) throw new Error('the results are not those of the cases');
  return computeMetrics(rubric, units, 'answers', { level: 0.95, seed: 'seed' });
}

const score = fc.oneof(fc.constantFrom(0, 1, 1, 0.99), fc.double({ min: 0, max: 1, noNaN: true }));
const rowsOf = (trials: number) =>
  fc.array(
    fc.record({
      input: fc.constantFrom('a', 'b'),
      group: fc.constantFrom('g', 'h', 'i'),
      scores: fc.array(score, { minLength: trials, maxLength: trials }),
    }),
    { minLength: 2, maxLength: 12 },
  );

describe('bounds', () => {
  it('raising any one score lowers none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }).chain(rowsOf), fc.nat(), fc.nat(), score, fc.boolean(), (rows, at, trial, to, grouped) => {
        const better = structuredClone(rows);
        const scores = better[at % rows.length]!.scores;
        scores[trial % scores.length] = Math.max(to, scores[trial % scores.length]!);
        const [before, after] = [compute(rising, rows, grouped), compute(rising, better, grouped)];
        for (const { name } of rising) {
          expect(after[name]!.lower, name).toBeGreaterThanOrEqual(before[name]!.lower - 1e-9);
          expect(after[name]!.upper, name).toBeGreaterThanOrEqual(before[name]!.upper - 1e-9);
        }
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    { clusters: 5, trials: 5 },
    { clusters: 8, trials: 3 },
    { clusters: 10, trials: 2 },
  ])('of $clusters cases in $trials trials: the lower one is above the truth in at most 2.5 % of draws', ({ clusters, trials }) => {
    const random = seededRandom(`${clusters} of ${trials}`);
    const draws = 1000;
    let above = 0;
    for (let draw = 0; draw < draws; draw++) {
      // Each case succeeds always or in three of five runs, alike often: 0.8 in the mean.
      const rows = Array.from({ length: clusters }, () => {
        const chance = random() < 0.5 ? 1 : 0.6;
        return { input: 'a', group: '', scores: Array.from({ length: trials }, () => (random() < chance ? 1 : 0)) };
      });
      if (compute(rising.slice(0, 1), rows, false).mean!.lower > 0.8) above++;
    }
    // Three standard errors of a share of 2.5 % in a thousand draws.
    expect(above / draws).toBeLessThanOrEqual(0.025 + 3 * Math.sqrt((0.025 * 0.975) / draws));
  });
});
