import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { z } from 'zod';
import { type Json, parseBoundedJson } from '../../contracts/json.ts';
import { dataFile, type DataRow } from '../calibration/data-rows.ts';
import { CalibrationProblem } from '../calibration/problem.ts';

const maxBytes = 67_108_864;
const maxDepth = 16;

/** One JSON document, bounded, checked by `schema`. Throws `CalibrationProblem` with file and place. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const parsed = parseBoundedJson(await bytesOf(path), { maxBytes, maxDepth });
  if (!parsed.ok) throw new CalibrationProblem(`"${basename(path)}": ${parsed.problem}`);
  return checked(path, parsed.value, schema);
}

/** The rows of a `.jsonl` or `.csv` file, each checked by `schema`. Throws `CalibrationProblem` with line and place. */
export async function readRows<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
  const rows: T[] = [];
  for await (const row of dataFile(path).rows()) rows.push(checkedRow(path, row, schema));
  return rows;
}

const checkedRow = <T>(path: string, { line, fields }: DataRow, schema: z.ZodType<T>): T => checked(path, fields, schema, `line ${line}, `);

function checked<T>(path: string, value: Json | DataRow['fields'], schema: z.ZodType<T>, where = ''): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? '' : `"${issue.path.join('/')}": `;
  throw new CalibrationProblem(`"${basename(path)}": ${where}${place}${issue?.message ?? 'is of another form'}`);
}

async function bytesOf(path: string): Promise<Uint8Array> {
  // Without O_NONBLOCK the opening of a named pipe would wait for its writer.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw new CalibrationProblem(
      `"${path}" cannot be read: ${error.code === 'ENOENT' ? 'there is no such file' : (error.code ?? 'unknown reason')}`,
    );
  });
  const found = await file.stat();
  if (!found.isFile()) throw new CalibrationProblem(`"${path}" is not a file`);
  if (found.size > maxBytes) throw new CalibrationProblem(`"${basename(path)}" is larger than ${maxBytes} bytes`);
  return file.readFile();
}
