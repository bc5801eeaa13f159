import { parseBoundedJson } from '../../contracts/json.ts';

export type Queries = { ok: true; queries: string[] } | { ok: false; line: number; problem: string };

/** Reads the first `count` lines of a JSONL file of queries; each line is an object with a non-empty `text`. */
export function readQueries(file: string, count: number): Queries {
  const lines = file.replace(/\n$/, '').split('\n');
  if (lines.length < count)
    return { ok: false, line: lines.length, problem: `the file has ${lines.length} queries, ${count} are asked for` };
  const queries: string[] = [];
  for (const [i, line] of lines.slice(0, count).entries()) {
    const parsed = parseBoundedJson(Buffer.from(line, 'utf8'), { maxBytes: 65_536, maxDepth: 8 });
    if (!parsed.ok) return { ok: false, line: i + 1, problem: `the line ${parsed.problem}` };
    const value = parsed.value;
    const text = value !== null && typeof value === 'object' && !Array.isArray(value) ? value.text : undefined;
    if (typeof text !== 'string' || text.trim() === '') return { ok: false, line: i + 1, problem: 'expected an object with a "text"' };
    queries.push(text);
  }
  return { ok: true, queries };
}
