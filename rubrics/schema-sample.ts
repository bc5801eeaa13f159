import type { Json } from '../contracts/json.ts';

type Schema = Json | undefined;

/**
 * A value made for a JSON Schema, with `text()` wherever a text may stand: enough of the language to fill a rubric's
 * answer form. What it cannot do (patterns, conditions) gives a value that does not fit; callers check.
 */
export function sampleOf(schema: Schema, text: () => string): Json {
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema)) return text();
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0] ?? null;
  for (const list of [schema.anyOf, schema.oneOf, schema.allOf]) if (Array.isArray(list)) return sampleOf(list[0], text);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'array':
      return Array.from({ length: listLength(schema.minItems, schema.maxItems) }, () => sampleOf(schema.items, text));
    case 'object':
      return sampleObject(schema, text);
    case 'integer':
    case 'number':
      return typeof schema.minimum === 'number' ? schema.minimum : 0;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return sized(text(), schema.minLength, schema.maxLength);
  }
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
