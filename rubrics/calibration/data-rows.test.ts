import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type DataBounds, dataBounds, dataFile } from './data-rows.ts';

/** Node has no call of its own for it. */
const makePipe = 'mkfifo';
const root = await mkdtemp(join(tmpdir(), 'collective-data-'));
afterAll(() => rm(root, { recursive: true, force: true }));

async function written(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(root, name);
  await writeFile(path, content);
  return path;
}
async function rowsOf(name: string, content: string | Uint8Array, bounds: Partial<DataBounds> = {}) {
  const rows = [];
  for await (const row of dataFile(await written(name, content), { ...dataBounds, ...bounds }).rows()) rows.push(row);
  return rows;
}

describe('a data file', () => {
  it('reads the same rows from JSONL and CSV, a byte order mark and a missing last line break allowed in CSV', async () => {
    const expected = [
      { line: 1, fields: { text: 'a\nb', label: '1' } },
      { line: 2, fields: { text: 'é', label: '0' } },
    ];
    expect(await rowsOf('a.jsonl', '{"text":"a\\nb","label":"1"}\n{"text":"é","label":"0"}')).toEqual(expected);
    const fromCsv = await rowsOf('a.csv', '\uFEFFtext,label\r\n"a\nb",1\r\né,0\r\n');
    expect(fromCsv.map((row) => row.fields)).toEqual(expected.map((row) => row.fields));
    expect(fromCsv.map((row) => row.line)).toEqual([2, 4]);
  });

  it('hashes what it read', async () => {
    const content = '{"a":1}\n{"a":2}\n';
    const file = dataFile(await written('hash.jsonl', content));
    for await (const row of file.rows()) expect(row.fields.a).toBe(row.line);
    expect(file.sha256()).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it('holds a character that two chunks share together', async () => {
    const text = 'é'.repeat(100_000);
    const [row] = await rowsOf('long.csv', `x,text\n1,${text}\n`);
    expect(row?.fields.text).toBe(text);
    const [line] = await rowsOf('long.jsonl', `{"text":"${text}"}\n`);
    expect(line?.fields.text).toBe(text);
  });

  it.each([
    ['a.jsonl', '{"a":1}\n\n{"a":2}\n', {}, 'line 2: the line is empty'],
    ['a.jsonl', '{"a":1}\n{"a":\n', {}, 'line 2: is not JSON'],
    ['a.jsonl', '[1]\n', {}, 'line 1: expected a JSON object'],
    ['a.jsonl', '{"__proto__":1}\n', {}, 'line 1: uses the reserved key'],
    ['a.jsonl', `{"a":${'['.repeat(20)}${']'.repeat(20)}}`, {}, 'line 1: nests 21 levels deep'],
    ['a.jsonl', `{"a":1}\n{"a":"${'x'.repeat(100)}"}\n`, { maxRowBytes: 50 }, 'line 2: the line is longer than 50 bytes'],
    ['a.jsonl', '{"a":1}\n'.repeat(4), { maxRows: 3 }, 'line 4: more than 3 rows'],
    ['a.jsonl', '{"a":1}\n'.repeat(4), { maxFileBytes: 20 }, 'is larger than 20 bytes'],
    ['a.jsonl', '', {}, 'has no rows'],
    ['a.csv', 'a,b\n', {}, 'has no rows'],
    ['a.csv', 'a,a\n1,2\n', {}, 'line 1: two columns of the header are named "a"'],
    ['a.csv', 'a,\n1,2\n', {}, 'line 1: column 2 of the header has no usable name'],
    ['a.csv', '__proto__,b\n1,2\n', {}, 'line 1: column 1'],
    ['a.csv', 'a,b\n1,2\n1\n', {}, 'line 3: 1 cells where the header has 2'],
    ['a.csv', 'a,b\n1,2\n\n3,4\n', {}, 'line 3: 1 cells where the header has 2'],
    ['a.txt', 'a', {}, '"a.txt" is neither .jsonl nor .csv'],
  ])('refuses %s with %j', async (name, content, bounds, message) => {
    await expect(rowsOf(name, content, bounds)).rejects.toThrow(message);
  });

  it('refuses bytes that are no UTF-8, with the line', async () => {
    await expect(rowsOf('a.csv', Buffer.from('a,b\n1,2\n\xff,3\n', 'latin1'))).rejects.toThrow('not valid UTF-8 text');
    await expect(rowsOf('a.jsonl', Buffer.from('{"a":1}\n{"a":"\xff"}\n', 'latin1'))).rejects.toThrow('line 2: is not valid UTF-8');
  });

  it('refuses what is no file, and does not wait for a named pipe', async () => {
    const read = async (path: string) => {
      for await (const row of dataFile(path).rows()) expect(row).toBeUndefined();
    };
    await expect(read(join(root, 'none.csv'))).rejects.toThrow('there is no such file');
    const pipe = join(root, 'pipe.csv');
    execFileSync(makePipe, [pipe]);
    await expect(read(pipe)).rejects.toThrow('is not a file');
  });
});
