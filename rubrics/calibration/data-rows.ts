import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Json, parseBoundedJson } from '../../contracts/json.ts';
import { CsvParser, type CsvRecord } from './csv.ts';
import { CalibrationProblem, problemAt } from './problem.ts';
import { repeatsName } from './repeated-names.ts';

/** One row of a data file: a line of JSON, or a record of CSV whose cells are all texts. */
export interface DataRow {
  /** 1-based line on which the row starts. */
  line: number;
  fields: Readonly<Record<string, Json>>;
}

export interface DataFile {
  /** The file's name without its folder. */
  name: string;
  /** Rows one after another; only one is held at a time. Throws `CalibrationProblem` at the first that is not well formed. */
  rows(): AsyncGenerator<DataRow>;
  /** SHA-256 of the bytes that were read, in hexadecimal; known when `rows` has ended. */
  sha256(): string;
}

export const dataBounds = { maxFileBytes: 268_435_456, maxRows: 500_000, maxRowBytes: 1_048_576, maxDepth: 16, maxCells: 500 };
export type DataBounds = typeof dataBounds;

/**
 * A file of labelled answers, by its ending: `.jsonl` (or `.ndjson`), one JSON object a line, or `.csv` with a header.
 * UTF-8 only. Nothing in it is evaluated; size, rows, row length, depth and cells are bounded, and it is streamed.
 */
export function dataFile(path: string, bounds: DataBounds = dataBounds): DataFile {
  const parse = /\.(jsonl|ndjson)$/i.test(path) ? jsonRows : /\.csv$/i.test(path) ? csvRows : null;
  if (parse === null) throw new CalibrationProblem(`"${basename(path)}" is neither .jsonl nor .csv`);
  const hash = createHash('sha256');
  let digest: string | null = null;
  return {
    name: basename(path),
    async *rows() {
      let count = 0;
      for await (const row of parse(bytesOf(path, hash, bounds), bounds)) {
        if (++count > bounds.maxRows) throw problemAt(row.line, null, `more than ${bounds.maxRows} rows; take a sample`);
        yield row;
      }
      if (count === 0) throw new CalibrationProblem(`"${basename(path)}" has no rows`);
    },
    sha256: () => (digest ??= hash.digest('hex')),
  };
}

type Hash = ReturnType<typeof createHash>;

async function* bytesOf(path: string, hash: Hash, bounds: DataBounds): AsyncGenerator<Buffer> {
  // Without O_NONBLOCK the opening of a named pipe would wait for its writer, before anybody could see that it is none.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw new CalibrationProblem(`"${path}" cannot be read: ${reasons[error.code ?? ''] ?? error.code ?? 'unknown reason'}`);
  });
  if (!(await file.stat()).isFile()) throw new CalibrationProblem(`"${path}" is not a file`);
  let total = 0;
  for await (const chunk of file.createReadStream({ autoClose: false })) {
    const bytes = chunk as Buffer;
    total += bytes.length;
    if (total > bounds.maxFileBytes)
      throw new CalibrationProblem(`"${basename(path)}" is larger than ${bounds.maxFileBytes} bytes; take a sample`);
    hash.update(bytes);
    yield bytes;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  ENOTDIR: 'there is no such file',
};

async function* jsonRows(chunks: AsyncIterable<Buffer>, bounds: DataBounds): AsyncGenerator<DataRow> {
  for await (const { line, bytes } of linesOf(chunks, bounds.maxRowBytes)) {
    if (bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d))
      throw problemAt(line, null, 'the line is empty; expected a JSON object');
    const parsed = parseBoundedJson(bytes, { maxBytes: bounds.maxRowBytes, maxDepth: bounds.maxDepth });
    if (!parsed.ok) throw problemAt(line, null, parsed.problem);
    const { value } = parsed;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw problemAt(line, null, 'expected a JSON object');
    if (repeatsName(bytes.toString('utf8'), value))
      throw problemAt(line, null, 'one field is given twice; nobody knows which of them counts');
    yield { line, fields: value };
  }
}

/** Lines by LF; the last may lack it, and the file may end with one. */
async function* linesOf(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<{ line: number; bytes: Buffer }> {
  let line = 1;
  let parts: Buffer[] = [];
  let size = 0;
  const add = (part: Buffer): void => {
    size += part.length;
    if (size > maxBytes) throw problemAt(line, null, `the line is longer than ${maxBytes} bytes`);
    parts.push(part);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      add(chunk.subarray(start, end));
      yield { line, bytes: Buffer.concat(parts) };
      line++;
      parts = [];
      size = 0;
      start = end + 1;
    }
    if (start < chunk.length) add(chunk.subarray(start));
  }
  if (size > 0) yield { line, bytes: Buffer.concat(parts) };
}

async function* csvRows(chunks: AsyncIterable<Buffer>, bounds: DataBounds): AsyncGenerator<DataRow> {
  let header: string[] | null = null;
  for await (const { line, cells } of csvRecords(chunks, bounds)) {
    if (header === null) {
      header = checkHeader(cells);
      continue;
    }
    if (cells.length !== header.length) throw problemAt(line, null, `${cells.length} cells where the header has ${header.length}`);
    yield { line, fields: Object.fromEntries(header.map((name, i) => [name, cells[i] ?? ''])) };
  }
}

async function* csvRecords(chunks: AsyncIterable<Buffer>, bounds: DataBounds): AsyncGenerator<CsvRecord> {
  const parser = new CsvParser({ maxRecord: bounds.maxRowBytes, maxCells: bounds.maxCells });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let last = 0;
  const decode = (bytes?: Buffer): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw new CalibrationProblem(`the file is not valid UTF-8 text, somewhere after line ${last}`);
    }
  };
  for await (const chunk of chunks) {
    for (const record of parser.push(decode(chunk))) {
      last = record.line;
      yield record;
    }
  }
  yield* parser.push(decode());
  yield* parser.end();
}

function checkHeader(names: string[]): string[] {
  for (const [i, name] of names.entries()) {
    if (name === '' || name === '__proto__') throw problemAt(1, null, `column ${i + 1} of the header has no usable name`);
    if (names.indexOf(name) !== i) throw problemAt(1, null, `two columns of the header are named "${name}"`);
  }
  return names;
}
