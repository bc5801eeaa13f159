import { buildPages } from './build.ts';
import { measurePages, overBudget } from './page-size.ts';

// Run as a program: builds the pages when stale, prints their sizes and ends with 1 when one is over its budget.
await buildPages();
const size = await measurePages();
console.log(
  `initial script ${size.initialScript} B, initial style ${size.initialStyle} B, largest later script ${size.largestChunk.bytes} B (gzip)`,
);
const problems = overBudget(size);
for (const problem of problems) console.error(`over budget: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
