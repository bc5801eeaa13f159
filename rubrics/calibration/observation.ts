import type { Json } from '../../contracts/json.ts';
import type { Rating } from '../statistics/krippendorff-alpha.ts';
import type { DataRow } from './data-rows.ts';
import { CalibrationProblem, problemAt } from './problem.ts';

/** The fields of a row that mean something. */
export interface FieldNames {
  text: string;
  prompt?: string;
  label: string;
  by?: string;
  /** Yes for answers that were made to fool the grader. */
  adversarial?: string;
  /** The model that gave the answer. */
  target?: string;
  raters: readonly string[];
  /** Where the text is null: the verdict that was recorded before it was withheld, true for yes. */
  withheld?: string;
}

/** What one row says, before it is graded. */
export interface Observation {
  line: number;
  /** `null`: the text was withheld, the row cannot be graded. */
  text: string | null;
  prompt: string | null;
  /** The human's label as written; `null` when nobody labelled this row. */
  label: string | null;
  group: string | null;
  adversarial: boolean;
  target: string | null;
  ratings: Rating[];
  /** The other fields, for a grader that compares with one of them. What people said of it is not among them. */
  rest: Record<string, Json>;
}

/**
 * Reads a row by the names of its fields. `null` (in CSV an empty label, group or rating) means "not known"; a field
 * that is absent or of the wrong type is an error with line and field, never a guess.
 */
export function observe(row: DataRow, names: FieldNames): Observation {
  const text = fieldOf(row, names.text);
  const prompt = names.prompt === undefined ? null : fieldOf(row, names.prompt);
  const texts: [string, typeof text | typeof prompt][] = [
    [names.text, text],
    [names.prompt ?? '', prompt],
  ];
  for (const [name, value] of texts)
    if (value !== null && typeof value !== 'string') throw problemAt(row.line, name, `expected a text, found ${typeName(value)}`);
  // With the whole field that holds it: beside a person's label may stand another copy of it.
  const human = new Set(
    [names.label, names.adversarial ?? names.label, ...names.raters].flatMap((name) => [name, name.split('/', 1)[0] ?? name]),
  );
  return {
    line: row.line,
    text: text as string | null,
    prompt: prompt as string | null,
    label: scalar(row, names.label),
    group: names.by === undefined ? null : scalar(row, names.by),
    adversarial: names.adversarial !== undefined && isTruthy(row, names.adversarial),
    target: names.target === undefined ? null : scalar(row, names.target),
    ratings: names.raters.map((name) => ratingOf(row, name)),
    rest: Object.fromEntries(Object.entries(row.fields).filter(([name]) => !human.has(name))),
  };
}

/** A yes or no that is written in the row: true, false, 1 or 0; `null` for none. */
export function yesOrNo(row: DataRow, name: string): boolean | null {
  const value = scalar(row, name);
  if (value === null) return null;
  const yes = { true: true, '1': true, false: false, '0': false }[value.toLowerCase()];
  if (yes === undefined) throw problemAt(row.line, name, `expected true, false, 1 or 0, found "${value.slice(0, 40)}"`);
  return yes;
}

const noAttack = new Set(['', 'false', 'no', 'none', 'null', 'n/a', '-']);

/** Any value but null, 0 and the words for none: the name of an attack says yes as well. */
function isTruthy(row: DataRow, name: string): boolean {
  const value = (scalar(row, name) ?? '').trim().toLowerCase();
  return !noAttack.has(value) && numberOf(value) !== 0;
}

/** The field's text, number as text, or true/false; `null` for null and the empty text. */
export function scalar(row: DataRow, name: string): string | null {
  const value = fieldOf(row, name);
  if (value === null || value === '') return null;
  if (typeof value === 'object') throw problemAt(row.line, name, `expected a text, a number or true/false, found ${typeName(value)}`);
  return String(value);
}

/** A number where the cell is one, so that distances between ratings can be taken. */
function ratingOf(row: DataRow, name: string): Rating {
  const value = scalar(row, name);
  return value === null ? null : (numberOf(value) ?? value);
}

function fieldOf(row: DataRow, name: string): Json {
  const value = Object.hasOwn(row.fields, name) ? row.fields[name] : inside(row.fields, name);
  if (value !== undefined) return value;
  const present = Object.keys(row.fields).slice(0, 30).join(', ');
  throw problemAt(row.line, name, `there is no such field; this row has ${present === '' ? 'none' : present}`);
}

/** A field of a nested object, `outer/inner`; only own properties, so no name reaches a prototype. */
const inside = (fields: DataRow['fields'], name: string): Json | undefined =>
  name.includes('/')
    ? name.split('/').reduce<Json | undefined>((value, step) => (isObject(value) ? own(value, step) : undefined), fields)
    : undefined;

const own = (fields: DataRow['fields'], name: string): Json | undefined => (Object.hasOwn(fields, name) ? fields[name] : undefined);
const isObject = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const typeName = (value: Json): string =>
  value === null ? 'null' : Array.isArray(value) ? 'a list' : `a${typeof value === 'object' ? 'n object' : ` ${typeof value}`}`;

function numberOf(text: string): number | null {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}

/**
 * Is a label one of the positive values? Numbers are compared as numbers (`1` is `1.0`), `true` and `false` in any case
 * of letters, all else as it is written.
 */
export function positiveTest(values: readonly string[]): (label: string) => boolean {
  if (values.length === 0) throw new CalibrationProblem('no label value is named as positive');
  const key = (text: string): string => {
    const number = numberOf(text);
    if (number !== null) return `number ${number}`;
    return /^(true|false)$/i.test(text) ? text.toLowerCase() : `text ${text}`;
  };
  const wanted = new Set(values.map(key));
  return (label) => wanted.has(key(label));
}
