import { readFileSync } from 'node:fs';
import { globSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * Which top-level folder may import from which (docs/explanation/house.md). `main.ts` files and tests wire things
 * together and are free; so is a folder towards itself. Prints each import that goes the wrong way and exits 1.
 */
const mayImport: Record<string, readonly string[]> = {
  contracts: [],
  rubrics: ['contracts'],
  sandboxes: ['contracts'],
  gateway: ['contracts'],
  evaluation: ['contracts', 'rubrics', 'sandboxes', 'gateway'],
  domain: ['contracts'],
  server: ['contracts', 'domain'],
  workers: ['contracts', 'domain', 'evaluation', 'rubrics', 'sandboxes', 'gateway'],
  cli: ['contracts', 'evaluation', 'rubrics', 'sandboxes', 'gateway', 'domain', 'web'],
  web: ['contracts'],
};
/** Packages that `contracts` may use: the pages load it, so it stays pure. */
const contractsMayUse = new Set(['zod', 'canonicalize']);

const root = join(import.meta.dirname, '..');
const problems: string[] = [];
let checked = 0;

for (const folder of Object.keys(mayImport)) {
  for (const file of globSync(`${folder}/**/*.{ts,tsx}`, { cwd: root, exclude: (path) => /node_modules|dist/.test(path) })) {
    if (/\.test\.tsx?$/.test(file) || /(^|\/)library\//.test(file)) continue;
    checked++;
    for (const specifier of importsOf(readFileSync(join(root, file), 'utf8'))) {
      const problem = problemOf(folder, file, specifier);
      if (problem !== null) problems.push(`${file}: ${problem}`);
    }
  }
}

for (const problem of problems) console.error(problem);
console.log(`${checked} files, ${problems.length} imports in a forbidden direction`);
process.exitCode = problems.length === 0 ? 0 : 1;

function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
}

function problemOf(folder: string, file: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) {
    const allowed = folder !== 'contracts' || contractsMayUse.has(specifier);
    return allowed ? null : `contracts may not use the package "${specifier}"`;
  }
  const target = relative(root, join(root, dirname(file), specifier)).split('/')[0] ?? '';
  if (target === folder || mayImport[folder]?.includes(target)) return null;
  if (file.endsWith('/main.ts') && folder !== 'contracts') return null;
  return `${folder} may not import from ${target} ("${specifier}")`;
}
