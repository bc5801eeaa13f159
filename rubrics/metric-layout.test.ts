import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { Rubric } from '../contracts/rubric.ts';
import { caseResult, smallRubricYaml } from '../test/setup/rubrics.ts';
import { scoreInputs } from './gates/score-inputs.ts';
import { layOut } from './metric-layout.ts';
import { computeMetrics } from './metrics.ts';
import { pairUnits } from './units.ts';

/** A chain in which each metric names the one before it twice: 2^31 paths lead from the last to the first. */
const links = 31;
const chain = [
  { name: 'm0', title: 'm0', kind: 'mean', of: { criterion: 'right' } },
  ...Array.from({ length: links }, (_, i) => {
    const metric = `m${i}`;
    return { name: `m${i + 1}`, title: 'twice', kind: 'product', of: [{ metric }, { metric }] };
  }),
];
const small = parse(smallRubricYaml) as Record<string, unknown>;
const rubric = Rubric.parse({ ...small, metrics: chain, score: `m${links}` });
const scores = [0.98, 1, 1, 0.99];
const cases = scores.map((_, i) => ({ case: { id: `c${i}`, input: null }, split: 'public' as const }));
const paired = pairUnits(
  rubric,
  cases,
  scores.map((score, i) => caseResult(`c${i}`, score)),
);
if (!paired) throw new Error('the results are not those of the cases');
const units = paired;
const specs = new Map(rubric.metrics.map((metric) => [metric.name, metric]));

/** Totals that count how often they are read: every evaluation of the mean reads its two columns. */
function counted(totals: Float64Array): { totals: Float64Array; reads: () => number } {
  let reads = 0;
  const watched = new Proxy(totals, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++;
      return Reflect.get(target, key, target);
    },
  });
  return { totals: watched, reads: () => reads };
}

it.each([1, 2, 10])('%i metrics that each name the one before twice share its two columns and evaluate it once', (length) => {
  const { table, all, evaluate } = layOut(specs.get(`m${length}`)!, specs, units);
  expect(table.width).toBe(2);
  const watched = counted(all);
  expect(evaluate(watched.totals)).toBeCloseTo((3.97 / 4) ** (2 ** length), 12);
  expect(watched.reads()).toBe(2);
});

it('a shared metric is evaluated anew for other totals', () => {
  const { evaluate } = layOut(specs.get('m1')!, specs, units);
  expect([evaluate(Float64Array.of(1, 2)), evaluate(Float64Array.of(3, 4))]).toEqual([1 / 4, 9 / 16]);
});

it('a chain as long as a rubric may declare is computed', () => {
  const metrics = computeMetrics(rubric, units, 'answers', { level: 0.95, seed: 'seed' });
  expect(Object.keys(metrics)).toHaveLength(links + 1);
  expect(metrics.m3!.value).toBeCloseTo((3.97 / 4) ** 8, 12);
  expect(scoreInputs(rubric).named).toEqual(new Set(['right']));
});
