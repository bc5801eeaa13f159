import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

interface Chunk {
  file: string;
  isEntry?: boolean;
  imports?: string[];
  css?: string[];
}

/** Upper bounds in bytes of gzip -9; 1 kB = 1,000 bytes. */
export const budget = { initialScript: 200_000, initialStyle: 15_000, chunk: 60_000 } as const;

export interface PageSize {
  /** Gzipped bytes of all scripts and styles that the first page needs before it shows anything. */
  initialScript: number;
  initialStyle: number;
  /** The largest script that is loaded later, with its name. */
  largestChunk: { file: string; bytes: number };
}

/** Measures the built pages by Vite's manifest. Throws when they are not built. */
export async function measurePages(folder = fileURLToPath(new URL('./dist', import.meta.url))): Promise<PageSize> {
  const manifest = JSON.parse(await readFile(join(folder, '.vite/manifest.json'), 'utf8')) as Record<string, Chunk>;
  const size = async (file: string) => gzipSync(await readFile(join(folder, file)), { level: 9 }).byteLength;
  const initial = new Set<string>();
  const visit = (name: string) => {
    if (initial.has(name)) return;
    initial.add(name);
    for (const next of manifest[name]?.imports ?? []) visit(next);
  };
  for (const [name, chunk] of Object.entries(manifest)) if (chunk.isEntry) visit(name);
  const chunks = [...initial].flatMap((name) => manifest[name] ?? []);
  const sum = async (files: Iterable<string>) => {
    let total = 0;
    for (const file of new Set(files)) total += await size(file);
    return total;
  };
  let largestChunk = { file: 'none', bytes: 0 };
  for (const [name, chunk] of Object.entries(manifest)) {
    if (initial.has(name) || !chunk.file.endsWith('.js')) continue;
    const bytes = await size(chunk.file);
    if (bytes > largestChunk.bytes) largestChunk = { file: chunk.file, bytes };
  }
  return {
    initialScript: await sum(chunks.map((chunk) => chunk.file).filter((file) => file.endsWith('.js'))),
    initialStyle: await sum(chunks.flatMap((chunk) => chunk.css ?? [])),
    largestChunk,
  };
}

/** What is over its budget, in words; empty when all is well. */
export function overBudget(size: PageSize): string[] {
  const over = (what: string, bytes: number, limit: number) => (bytes > limit ? [`${what}: ${bytes} bytes gzip, at most ${limit}`] : []);
  return [
    ...over('initial script', size.initialScript, budget.initialScript),
    ...over('initial style', size.initialStyle, budget.initialStyle),
    ...over(`later script ${size.largestChunk.file}`, size.largestChunk.bytes, budget.chunk),
  ];
}
