import type { GraderSpec } from '../../contracts/graders.ts';
import type { JsonResult } from '../../contracts/json.ts';
import { compileSchema } from '../schemas.ts';
import { clip } from './evidence.ts';
import { graded, type Grader, type GradingContext } from './grader.ts';
import { parseText } from './json-text.ts';
import { resolveSource, resolveTexts, sourceHead } from './sources.ts';

type Spec = Extract<GraderSpec, { kind: 'json-schema' }>;

const bounds = { maxBytes: 4_194_304, maxDepth: 64, maxValues: 100_000 } as const;

/**
 * 1 when the value at `of` fits the JSON Schema (draft 2020-12, ajv's strict mode, patterns in RE2), else 0. With
 * `as: text` every text there must be one JSON value and fit: prose around it, a code fence, a reserved key or more
 * than 4 MiB, 64 levels or 100,000 values do not. No value scores 0. Throws on a schema that `check-grader.ts` refuses.
 */
export function jsonSchema(spec: Spec): Grader {
  const schema = compileSchema(spec.schema);
  if (!schema.ok) throw new Error(`the schema does not compile: ${schema.problem}`);
  const hidden = sourceHead(spec.of) === 'secret';
  return (context) => {
    const values = readValues(spec, context);
    if (values.length === 0) return graded(0, { fits: false, values: 0 });
    for (const [position, value] of values.entries()) {
      const problem = value.ok ? schema.check(value.value)[0] : { path: '', message: value.problem };
      if (problem === undefined) continue;
      const why = hidden ? {} : { path: clip(problem.path), problem: clip(problem.message) };
      return graded(0, { fits: false, position, ...why });
    }
    return graded(1, { fits: true, values: values.length });
  };
}

function readValues(spec: Spec, context: GradingContext): JsonResult[] {
  if (spec.as === 'text') return resolveTexts(spec.of, context).map((text) => parseText(text, bounds));
  const value = resolveSource(spec.of, context);
  return value === undefined ? [] : [{ ok: true, value }];
}
