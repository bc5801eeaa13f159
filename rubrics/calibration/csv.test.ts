import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvParser } from './csv.ts';

const bounds = { maxRecord: 10_000, maxCells: 50 };

/** Parses in pieces of `size` characters. */
function parse(text: string, size = text.length || 1) {
  const parser = new CsvParser(bounds);
  const records = [];
  for (let at = 0; at < text.length; at += size) records.push(...parser.push(text.slice(at, at + size)));
  return [...records, ...parser.end()];
}
const cells = (text: string) => parse(text).map((record) => record.cells);

describe('CSV by RFC 4180', () => {
  it('reads quotes, doubled quotes, commas and line breaks inside cells, CRLF and LF, with or without a last break', () => {
    expect(cells('a,b\r\n1,2\r\n')).toEqual([['a', 'b'], ['1', '2']]); // biome-ignore format: one table
    expect(cells('a,b\n1,2')).toEqual([['a', 'b'], ['1', '2']]); // biome-ignore format: one table
    expect(cells('"say ""no"", then","two\nlines"," x "\n,,""')).toEqual([
      ['say "no", then', 'two\nlines', ' x '],
      ['', '', ''],
    ]);
    expect(cells('=1+1,{{x}}\n')).toEqual([['=1+1', '{{x}}']]);
    expect(cells('')).toEqual([]);
  });

  it('names the line a record starts on, counting the lines inside cells', () => {
    expect(parse('h\n"1\n2\n3"\nx\n').map((record) => record.line)).toEqual([1, 2, 5]);
  });

  it('gives back whatever was written, in pieces of any size', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '🎵'), maxLength: 8 });
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 7 }), fc.constantFrom('\n', '\r\n'), (rows, size, end) => {
        const text = rows.map((row) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(',')).join(end);
        expect(parse(text, size).map((record) => record.cells)).toEqual(rows);
        expect(parse(text + end, size)).toEqual(parse(text, size));
      }),
    );
  });

  it.each([
    ['a\n"open', 'line 2: a quoted cell of this record is never closed'],
    ['a\nx"y', 'line 2: a quote inside a cell'],
    ['a\n"x"y', 'line 2: text behind a closing quote'],
    ['a\rb', 'line 1: a carriage return without'],
    ['a\r', 'line 1: a carriage return without'],
    ['"a"\rb', 'line 1: a carriage return without'],
    [`h\n${'x'.repeat(10_001)}`, 'line 2: the record is longer than 10000 characters'],
    [`h\n"${'x\n'.repeat(6000)}"`, 'line 2: the record is longer than'],
    [','.repeat(50), 'line 1: more than 50 cells'],
  ])('refuses %j', (text, message) => {
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text, 1)).toThrow(message);
  });
});
