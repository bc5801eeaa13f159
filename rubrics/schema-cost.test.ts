import { describe, expect, it } from 'vitest';
import type { Json } from '../contracts/json.ts';
import { wordFiles, wordRubricOf } from '../test/setup/evaluation.ts';
import { bytesOf } from '../test/setup/rubrics.ts';
import { checkSubmission } from './check-submission.ts';
import { rubricFromFiles } from './load.ts';
import { costlySchema } from './schema-cost.ts';
import { compileSchema } from './schemas.ts';

type Schema = Record<string, Json>;
/** A new one each time: a subschema that stands at two places is two. */
const self = (): Schema => ({ $ref: '#' });
const list = (items: Json): Schema => ({ type: 'array', items });
/** An object of members, each of which the type must name or strict mode complains. */
const object = (properties: Schema): Schema => ({ type: 'object', properties });
/** `[[[[…1…]]]]`. */
const nested = (levels: number): Json => {
  let value: Json = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
};
/** Both branches of a union go into the same list: every level doubles the work. */
const doubling: Schema = {
  $defs: { a: { anyOf: [list({ $ref: '#/$defs/a' }), list({ $ref: '#/$defs/a' })] } },
  $ref: '#/$defs/a',
};

describe('a schema whose cost grows with every level of an answer', () => {
  it.each<[string, Schema, RegExp]>([
    ['two branches of a union', doubling, /"\/\$defs\/a\/anyOf\/[01]\/items" and "\/\$defs\/a\/anyOf\/[01]\/items" are applied/],
    [
      'one branch that is listed twice',
      { $defs: { a: list(self()) }, allOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] },
      /"\/\$defs\/a\/items" is applied twice/,
    ],
    [
      'an anchor',
      { $defs: { a: { $anchor: 'a', oneOf: [list({ $ref: '#a' }), list({ $ref: '#a' })] } }, $ref: '#a' },
      /oneOf\/[01]\/items/,
    ],
    ['items and contains', { type: 'array', items: self(), contains: self() }, /"\/(items|contains)" and "\/(items|contains)"/],
    ['a pattern beside a member', { ...object({ a: self() }), patternProperties: { '^a': self() } }, /patternProperties/],
    ['unevaluated members', { type: 'object', additionalProperties: self(), unevaluatedProperties: self() }, /unevaluatedProperties/],
    ['one member in two branches', { anyOf: [object({ a: self() }), object({ a: self(), b: self() })] }, /"\/anyOf\/[01]\/properties\/a"/],
    ['if and else', { if: list(self()), else: list(self()) }, /"\/(if|else)\/items"/],
    [
      'dependent schemas',
      { type: 'object', additionalProperties: self(), dependentSchemas: { a: object({ b: self() }) } },
      /dependentSchemas/,
    ],
    ['not and allOf', { not: list(self()), allOf: [list(self())] }, /not|allOf/],
    ['siblings of a reference', { $defs: { a: list(self()) }, $ref: '#/$defs/a', type: 'array', items: self() }, /\$defs\/a\/items/],
    ['a circle that never leaves the value', { $defs: { a: { allOf: [{ $ref: '#/$defs/a' }] } }, $ref: '#/$defs/a' }, /itself without end/],
    ['itself', { $ref: '#' }, /itself without end/],
  ])('is refused: %s', (_, schema, problem) => {
    expect(costlySchema(schema)).toMatch(problem);
    expect(compileSchema(schema)).toMatchObject({ ok: false });
  });

  it('is refused without a circle as well', () => {
    const doubled = (of: string): Schema => ({ allOf: [{ $ref: of }, { $ref: of }] });
    const $defs = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`d${i}`, i === 0 ? { type: 'string' } : doubled(`#/$defs/d${i - 1}`)]),
    );
    expect(costlySchema({ $defs, $ref: '#/$defs/d12' })).toContain('leads to no subschema');
    expect(costlySchema({ $defs, $ref: '#/$defs/d11' })).toContain('more than 500 subschemas to one value');
    expect(costlySchema({ $defs, $ref: '#/$defs/d6' })).toBeNull();
    // One level further down with each step.
    const stairs = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [
        `d${i}`,
        i === 0 ? { type: 'string' } : { allOf: [list({ $ref: `#/$defs/d${i - 1}` }), list({ $ref: `#/$defs/d${i - 1}` })] },
      ]),
    );
    expect(costlySchema({ $defs: stairs, $ref: '#/$defs/d11' })).toContain('are applied to the same value');
    expect(costlySchema({ $defs: stairs, $ref: '#/$defs/d5' })).toBeNull();
  });

  it('is refused where circles that hold one each follow each other', () => {
    // Where the walk goes over from one circle to the next is free: d levels and k circles are d over k walks.
    const circle = (i: number): Schema => list({ anyOf: [{ $ref: `#/$defs/c${i}` }, ...(i === 0 ? [] : [{ $ref: `#/$defs/c${i - 1}` }])] });
    const $defs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}`, circle(i)]));
    expect(costlySchema({ $defs: $defs(6), $ref: '#/$defs/c5' })).toContain('applied to the same value');
    expect(costlySchema({ $defs: $defs(1), $ref: '#/$defs/c0' })).toBeNull();
  });

  it('is refused when the rubric is loaded, at its place, also inside a grader', () => {
    const problemsWith = (changes: object) => {
      const loaded = rubricFromFiles(bytesOf(wordFiles({ targets: [], sandbox: undefined, ...changes })), '/nowhere');
      return loaded.ok ? [] : loaded.problems;
    };
    const given = { name: 'given', title: 'The word', grader: { kind: 'equals', of: 'answer', to: 'expected/word' } };
    expect(problemsWith({ submission: [{ kind: 'answers', schema: doubling }], criteria: [given] })).toMatchObject([
      { path: 'submission/0/schema', message: expect.stringContaining('/$defs/a/anyOf/') },
    ]);
    const grader = { kind: 'json-schema', of: 'answer', schema: doubling };
    expect(problemsWith({ submission: [{ kind: 'answers', schema: {} }], criteria: [{ ...given, grader }] })).toMatchObject([
      { path: 'criteria/0/grader/schema', message: expect.stringContaining('/$defs/a/anyOf/') },
    ]);
  });

  it('is found quickly, however deep or wide the schema', () => {
    let deep: Schema = { type: 'string' };
    for (let i = 0; i < 20_000; i++) deep = { not: deep };
    const wide = (members: number) =>
      object(Object.fromEntries(Array.from({ length: members }, (_, i) => [`m${i}`, { anyOf: [{ type: 'string' }, self()] }])));
    const startedAt = performance.now();
    expect(costlySchema(deep)).toContain('more than 500 subschemas');
    expect(costlySchema(wide(20_000))).toContain('too many subschemas');
    expect(costlySchema(wide(300))).toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe('a schema that recurses along one way', () => {
  const json: Schema = {
    anyOf: [
      { type: 'string' },
      { type: 'number' },
      { type: 'boolean' },
      { type: 'null' },
      list(self()),
      { type: 'object', additionalProperties: self() },
    ],
  };
  it.each<[string, Schema]>([
    ['a list', { type: 'array', maxItems: 9, items: { type: 'string' } }],
    ['a list of lists', { type: 'array', items: self() }],
    ['a binary tree', object({ left: self(), right: self() })],
    ['a tree with further members', { ...object({ left: self() }), additionalProperties: self() }],
    ['a tuple', { type: 'array', prefixItems: [self(), self()], minItems: 2, maxItems: 2 }],
    ['any JSON', json],
    [
      'a union told apart by its members',
      { anyOf: [object({ all: list(self()) }), object({ any: list(self()) }), object({ not: self() })] },
    ],
    [
      'an expression with operators',
      object({ op: { enum: ['+', '-'] }, of: { anyOf: [{ type: 'number' }, self()] }, by: { anyOf: [{ type: 'number' }, self()] } }),
    ],
    ['true and false', { type: 'object', properties: { a: true }, additionalProperties: false }],
  ])('is accepted: %s', (_, schema) => {
    expect(costlySchema(schema)).toBeNull();
    expect(compileSchema(schema)).toMatchObject({ ok: true });
  });

  it('is accepted with a tuple and its rest, which never meet', () => {
    expect(costlySchema({ type: 'array', prefixItems: [self(), self()], items: self() })).toBeNull();
  });

  it('compiles, and answers at once about the deepest value there is', () => {
    const compiled = compileSchema(json);
    if (!compiled.ok) throw new Error(compiled.problem);
    const startedAt = performance.now();
    expect(compiled.check(nested(64))).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(compiled.check(nested(65))).toEqual([{ path: '', message: 'nests more than 64 levels deep' }]);
    expect(compiled.check(nested(100_000))).toEqual([{ path: '', message: 'nests more than 64 levels deep' }]);
  });

  it('makes an answer that nests too deeply a problem of its participant', () => {
    const { rubric, cases } = wordRubricOf({
      ...{ submission: [{ kind: 'answers', schema: json }], targets: [], sandbox: undefined },
      criteria: [{ name: 'given', title: 'The word', grader: { kind: 'equals', of: 'answer', to: 'expected/word' } }],
    });
    const errorsOf = (answer: Json) => {
      const checked = checkSubmission(rubric, cases.public, { kind: 'answers', answers: { p0: answer } });
      return checked.ok ? [] : checked.errors;
    };
    expect(errorsOf(nested(64))).toEqual([]);
    expect(errorsOf(nested(65))).toEqual([{ path: 'answers/p0', message: 'nests more than 64 levels deep' }]);
  });
});

describe('what a graph cannot see is refused', () => {
  it.each<[string, Schema, string]>([
    ['a dynamic reference', { $dynamicAnchor: 'a', type: 'array', items: { $dynamicRef: '#a' } }, '$dynamic'],
    ['its predecessor', { $recursiveAnchor: true, type: 'array', items: { $recursiveRef: '#' } }, '$recursive'],
    [
      'an identifier inside',
      { $defs: { a: { $id: 'https://a.example/b', ...list(self()) } }, $ref: '#/$defs/a' },
      '"$id" is accepted at the top only',
    ],
    ['the language itself', { $ref: 'https://json-schema.org/draft/2020-12/schema' }, 'leads to no subschema'],
    ['an encoded pointer', { $defs: { a: {} }, $ref: '#/%24defs/a' }, 'leads to no subschema'],
    ['a pointer to nothing', { $ref: '#/$defs/constructor', $defs: {} }, 'leads to no subschema'],
    ['one anchor twice', { $defs: { a: { $anchor: 'x' }, b: { $anchor: 'x', not: {} } }, $ref: '#x' }, 'another name'],
  ])('%s', (_, schema, problem) => {
    expect(costlySchema(schema)).toContain(problem);
  });
});
