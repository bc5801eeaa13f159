import type { Json } from '../contracts/json.ts';

type Schema = Json | undefined;

/**
 * A value made for a JSON Schema, with `text()` wherever a text may stand: enough of the language to fill a rubric's
 * answer form. What it cannot do (patterns, conditions) gives a value that does not fit; callers check.
 */
export function sampleOf(schema: Schema, text: () => string): Json {
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema)) return text();
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return chosen(schema.enum, text());
  for (const list of [schema.anyOf, schema.oneOf, schema.allOf]) if (Array.isArray(list)) return sampleOf(list[0], text);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'array':
      return Array.from({ length: listLength(schema.minItems, schema.maxItems) }, () => sampleOf(schema.items, text));
    case 'object':
      return sampleObject(schema, text);
    case 'integer':
    case 'number':
      return numberOf(schema, type, text());
    case 'boolean':
      return text() !== 'false';
    case 'null':
      return null;
    default:
      return sized(text(), schema.minLength, schema.maxLength);
  }
}

/** The value that reads like the text, so that a guess of a label is one; else the first. */
const chosen = (values: readonly Json[], text: string): Json => values.find((value) => String(value) === text) ?? values[0] ?? null;

function numberOf(schema: { [key: string]: Json }, type: 'integer' | 'number', text: string): number {
  const { minimum, maximum } = schema;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const fits =
    (type === 'number' ? Number.isFinite(value) : Number.isSafeInteger(value)) &&
    !(typeof minimum === 'number' && value < minimum) &&
    !(typeof maximum === 'number' && value > maximum);
  if (fits) return value;
  return typeof minimum === 'number' ? minimum : 0;
}

/** As many guesses as are allowed, within reason: a guesser takes every chance. */
const listLength = (min: Schema, max: Schema): number =>
  Math.max(typeof min === 'number' ? min : 0, Math.min(typeof max === 'number' ? max : 1, 20));

function sampleObject(schema: { [key: string]: Json }, text: () => string): Json {
  const properties = schema.properties;
  if (properties === null || typeof properties !== 'object' || Array.isArray(properties)) return {};
  return Object.fromEntries(Object.entries(properties).map(([key, inner]) => [key, sampleOf(inner, text)]));
}

function sized(text: string, min: Schema, max: Schema): string {
  const padded = typeof min === 'number' && text.length < min ? text.padEnd(min, text === '' ? 'a' : text) : text;
  return typeof max === 'number' ? padded.slice(0, max) : padded;
}
