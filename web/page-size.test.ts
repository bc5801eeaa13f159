import { beforeAll, expect, it } from 'vitest';
import { buildPages } from './build.ts';
import { budget, measurePages, overBudget } from './page-size.ts';

beforeAll(async () => {
  await buildPages();
}, 120_000);

it('keeps the pages within their budget', async () => {
  const size = await measurePages();
  // A manifest that was read wrongly would measure nothing and pass.
  expect(size.initialScript).toBeGreaterThan(50_000);
  expect(size.initialStyle).toBeGreaterThan(2_000);
  expect(overBudget(size)).toEqual([]);
});

it('builds only what is stale', async () => {
  expect(await buildPages()).toEqual({ built: false });
});

it('names what is over its budget', () => {
  const size = { initialScript: budget.initialScript + 1, initialStyle: 1, largestChunk: { file: 'assets/x.js', bytes: budget.chunk + 1 } };
  expect(overBudget(size)).toEqual([expect.stringContaining('initial script'), expect.stringContaining('assets/x.js')]);
});
