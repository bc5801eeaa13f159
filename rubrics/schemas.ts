import type { ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';
import type { Json } from '../contracts/json.ts';
import { firstBelow } from './nesting.ts';
import { costlySchema, deepestValue } from './schema-cost.ts';

export interface SchemaError {
  /** Path inside the value, slash-separated; empty for the whole. */
  path: string;
  message: string;
}

export type CompiledSchema = { ok: true; check(value: Json): SchemaError[] } | { ok: false; problem: string };

/** A sponsor's `pattern` meets a participant's text: RE2 answers in linear time, V8's engine may take years. */
const linearRegExp = Object.assign(
  (pattern: string): { test(text: string): boolean; toString(): string } => {
    const compiled = RE2JS.compile(pattern);
    // ajv tells compiled patterns apart by their text: without it the first pattern of all would serve for every other.
    return { test: (text) => compiled.test(text), toString: () => JSON.stringify(pattern) };
  },
  { code: 're2js' },
);

/** Above this many entries the pairwise comparison behind `uniqueItems` takes seconds. */
const maxUniqueItems = 1000;

/**
 * Compiles a JSON Schema (draft 2020-12) of a rubric in ajv's strict mode: an unknown keyword or format, a reference
 * that leaves the schema or a pattern outside RE2 is a problem, not ignored. So is a schema that would have a value checked
 * over and over (`costlySchema`). `check` stops at the first error of a value; one of more than 64 levels fits no schema.
 */
export function compileSchema(schema: Readonly<Record<string, Json>>): CompiledSchema {
  try {
    const costly = costlySchema(schema);
    if (costly !== null) return { ok: false, problem: costly };
    const unbounded = unboundedUniqueItems(schema);
    if (unbounded !== undefined)
      return { ok: false, problem: `"uniqueItems"${unbounded} needs a "maxItems" of at most ${maxUniqueItems} beside it` };
    const ajv = new Ajv2020({ strict: true, allErrors: false, logger: false, code: { regExp: linearRegExp } });
    const validate = ajv.compile(schema);
    if ('$async' in validate) return { ok: false, problem: 'asynchronous schemas are not accepted' };
    return {
      ok: true,
      check: (value) => {
        if (firstBelow(value, deepestValue) !== null) return [{ path: '', message: `nests more than ${deepestValue} levels deep` }];
        return validate(value) ? [] : (validate.errors ?? []).map(toError);
      },
    };
  } catch (error) {
    return { ok: false, problem: error instanceof RangeError ? 'nests too deeply' : (error as Error).message.slice(0, 500) };
  }
}

const toError = ({ instancePath, message, params, keyword }: ErrorObject): SchemaError => {
  const detail = keyword === 'additionalProperties' ? ` ("${String(params.additionalProperty).slice(0, 100)}")` : '';
  const allowed =
    keyword === 'enum' && Array.isArray(params.allowedValues) ? `: ${JSON.stringify(params.allowedValues).slice(0, 200)}` : '';
  return { path: instancePath.slice(1), message: `${message ?? 'does not fit'}${detail}${allowed}` };
};

function unboundedUniqueItems(schema: Json, path = ''): string | undefined {
  if (schema === null || typeof schema !== 'object') return undefined;
  if (!Array.isArray(schema) && schema.uniqueItems === true) {
    if (typeof schema.maxItems !== 'number' || schema.maxItems > maxUniqueItems) return path === '' ? '' : ` at ${path}`;
  }
  for (const [key, value] of Object.entries(schema)) {
    const found = unboundedUniqueItems(value, `${path}/${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
