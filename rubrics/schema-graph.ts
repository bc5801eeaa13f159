import type { Json } from '../contracts/json.ts';

type Schema = Readonly<Record<string, Json>>;

/** Which of a value's children a subschema is applied to. */
export interface ChildEdge {
  /** Members of an object, elements of an array, or the names of members; no value has children of two sorts. */
  sort: 'member' | 'element' | 'name';
  /** One name or position; all that the node names nowhere (`rest`); or all there are (`every`). */
  at: { one: string } | 'rest' | 'every';
  node: number;
}

/** One subschema: what it applies to the value itself once more, and what to the value's children. */
export interface SchemaNode {
  /** JSON pointer into the schema; empty for the whole. */
  place: string;
  same: number[];
  children: ChildEdge[];
}

export type SchemaGraph = { ok: true; nodes: SchemaNode[] } | { ok: false; problem: string };

const sameLists = ['allOf', 'anyOf', 'oneOf'];
const sameSingles = ['not', 'if', 'then', 'else'];
const sameMaps = ['dependentSchemas', 'dependencies'];
const childSingles: Readonly<Record<string, Pick<ChildEdge, 'sort' | 'at'>>> = {
  additionalProperties: { sort: 'member', at: 'rest' },
  unevaluatedProperties: { sort: 'member', at: 'every' },
  propertyNames: { sort: 'name', at: 'every' },
  items: { sort: 'element', at: 'rest' },
  contains: { sort: 'element', at: 'every' },
  unevaluatedItems: { sort: 'element', at: 'every' },
};
/** What they lead to depends on how a value was reached: no graph of the schema alone shows it. */
const dynamic = ['$dynamicRef', '$dynamicAnchor', '$recursiveRef', '$recursiveAnchor'];

/**
 * Every subschema that is applied from the whole schema on (node 0), with its edges: each keyword of draft 2020-12 that
 * applies one, and `$ref` to `#`, to a pointer or to an `$anchor`. A subschema stands once, whatever leads to it.
 * References elsewhere, dynamic ones and a nested `$id`, which gives `#` another meaning, are refused. Keeps its own
 * stack: a schema may nest as deep as it likes.
 */
export function schemaGraph(schema: Schema): SchemaGraph {
  const named = anchorsOf(schema);
  if (!named.ok) return named;
  const nodes: SchemaNode[] = [];
  const known = new Map<object, number>();
  const waiting: Schema[] = [];
  /** Schemas that are `true` or `false`, and what is no schema at all (ajv says so), apply nothing. */
  const nodeOf = (value: Json | undefined, place: string): number[] => {
    if (!isObject(value)) return [];
    const before = known.get(value);
    if (before !== undefined) return [before];
    known.set(value, nodes.length);
    nodes.push({ place, same: [], children: [] });
    waiting.push(value);
    return [nodes.length - 1];
  };
  nodeOf(schema, '');
  for (let i = 0; i < waiting.length; i++) {
    const [own, node] = [waiting[i], nodes[i]];
    if (own === undefined || node === undefined) throw new Error('every waiting subschema has its node');
    const problem = connect(own, node, { whole: schema, anchors: named.anchors, nodeOf });
    if (problem !== null) return { ok: false, problem: `${problem} (at "${node.place}")` };
  }
  return { ok: true, nodes };
}

interface Around {
  whole: Schema;
  anchors: ReadonlyMap<string, Located>;
  nodeOf: (value: Json | undefined, place: string) => number[];
}

interface Located {
  value: Json;
  place: string;
}

function connect(own: Schema, node: SchemaNode, { whole, anchors, nodeOf }: Around): string | null {
  const below = (...steps: (string | number)[]) =>
    steps.reduce((place: string, step) => `${place}/${escapeStep(String(step))}`, node.place);
  const child = (value: Json | undefined, place: string, edge: Pick<ChildEdge, 'sort' | 'at'>) => {
    for (const to of nodeOf(value, place)) node.children.push({ ...edge, node: to });
  };
  if (typeof own.$ref === 'string') {
    const found = resolve(own.$ref, whole, anchors);
    if (found === null)
      return `"$ref": "${own.$ref.slice(0, 100)}" leads to no subschema here; expected "#", "#/…" or "#anchor" of this schema`;
    node.same.push(...nodeOf(found.value, found.place));
  }
  for (const key of sameLists) {
    for (const [i, value] of listOf(own[key]).entries()) node.same.push(...nodeOf(value, below(key, i)));
  }
  for (const key of sameSingles) node.same.push(...nodeOf(own[key], below(key)));
  for (const key of sameMaps) {
    for (const [name, value] of entriesOf(own[key])) node.same.push(...nodeOf(value, below(key, name)));
  }
  for (const [name, value] of entriesOf(own.properties)) child(value, below('properties', name), { sort: 'member', at: { one: name } });
  // A pattern may match any name, also one that "properties" lists.
  for (const [name, value] of entriesOf(own.patternProperties))
    child(value, below('patternProperties', name), { sort: 'member', at: 'every' });
  for (const [i, value] of listOf(own.prefixItems).entries())
    child(value, below('prefixItems', i), { sort: 'element', at: { one: String(i) } });
  for (const [key, edge] of Object.entries(childSingles)) child(own[key], below(key), edge);
  return null;
}

/** Looks into every object, as ajv does when it collects names; also into values of "const", which is only stricter. */
function anchorsOf(schema: Schema): { ok: true; anchors: Map<string, Located> } | { ok: false; problem: string } {
  const anchors = new Map<string, Located>();
  const waiting: Located[] = [{ value: schema as Json, place: '' }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, place } = next;
    if (value === null || typeof value !== 'object') continue;
    const problem = isObject(value) ? unnamed(value, place) : null;
    if (problem !== null) return { ok: false, problem };
    if (isObject(value) && typeof value.$anchor === 'string') {
      const name = value.$anchor;
      const other = anchors.get(name);
      if (other !== undefined && other.value !== value)
        return { ok: false, problem: `the "$anchor" "${name}" is at "${other.place}" and at "${place}": give one of them another name` };
      anchors.set(name, next);
    }
    for (const [key, inner] of Object.entries(value)) waiting.push({ value: inner, place: `${place}/${escapeStep(key)}` });
  }
  return { ok: true, anchors };
}

function unnamed(value: Schema, place: string): string | null {
  const refused = dynamic.find((key) => typeof value[key] === 'string' || typeof value[key] === 'boolean');
  if (refused !== undefined) return `"${refused}" is not accepted (at "${place}"): write "$ref" with "#/…" or an "$anchor"`;
  if (place !== '' && typeof value.$id === 'string')
    return `"$id" is accepted at the top only, not at "${place}": write "$anchor" there and refer to "#name"`;
  return null;
}

function resolve(ref: string, whole: Schema, anchors: ReadonlyMap<string, Located>): Located | null {
  if (ref === '#' || ref === '#/') return { value: whole as Json, place: '' };
  if (!ref.startsWith('#')) return null;
  if (!ref.startsWith('#/')) return anchors.get(ref.slice(1)) ?? null;
  // Percent-encoding would have to be read exactly as ajv reads it; names of definitions need none.
  if (ref.includes('%')) return null;
  let value: Json | undefined = whole as Json;
  for (const step of ref.slice(2).split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return null;
    value = (value as Readonly<Record<string, Json>>)[key];
  }
  return isObject(value) || typeof value === 'boolean' ? { value, place: ref.slice(1) } : null;
}

const escapeStep = (step: string): string => step.replaceAll('~', '~0').replaceAll('/', '~1');
const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);
const entriesOf = (value: Json | undefined): [string, Json][] => (isObject(value) ? Object.entries(value) : []);
