import type { Json } from '../../../contracts/json.ts';

export type AnswerShape = 'text' | 'lines' | 'json';
type Schema = Readonly<Record<string, Json>>;

/** How one answer can be typed: as a text, as one text per line, or as JSON; read from its JSON Schema. */
export function answerShape(schema: Schema): AnswerShape {
  if (schema.type === 'string') return 'text';
  if (schema.type === 'array' && isSchema(schema.items) && schema.items.type === 'string') return 'lines';
  const options = choices(schema).map(answerShape);
  if (options.includes('lines')) return 'lines';
  return options.includes('text') ? 'text' : 'json';
}

/** An example value that shows the form of an answer: empty texts, zeros, one item per list. */
export function exampleOf(schema: Schema, depth = 0): Json {
  if (depth > 6) return null;
  if ('const' in schema) return schema.const ?? null;
  if (Array.isArray(schema.enum)) return schema.enum[0] ?? null;
  const [choice] = choices(schema);
  if (choice) return exampleOf(choice, depth + 1);
  switch (schema.type) {
    case 'string':
      return '';
    case 'number':
    case 'integer':
      return 0;
    case 'boolean':
      return false;
    case 'array':
      return isSchema(schema.items) ? [exampleOf(schema.items, depth + 1)] : [];
    case 'object': {
      if (!isSchema(schema.properties)) return {};
      const entries = Object.entries(schema.properties).map(([name, of]) => [name, isSchema(of) ? exampleOf(of, depth + 1) : null]);
      return Object.fromEntries(entries) as Json;
    }
    default:
      return null;
  }
}

const isSchema = (value: Json | undefined): value is { [key: string]: Json } =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

function choices(schema: Schema): Schema[] {
  const list = schema.anyOf ?? schema.oneOf;
  return Array.isArray(list) ? list.filter(isSchema) : [];
}
