import type { Json } from '../contracts/json.ts';
import { type ChildEdge, type SchemaNode, schemaGraph } from './schema-graph.ts';

/** Deepest nesting of a value that is held against a schema; what is sent in as JSON is bounded more tightly before. */
export const deepestValue = 64;
/** How often subschemas may be applied to one value. A union of a hundred kinds needs some 200. */
const mostVisits = 500;
/** Keeps the computation below itself short. */
const mostEdges = 200_000;

/**
 * What makes a schema too costly, in one sentence with its place and what to do; null when nothing does.
 *
 * A validator walks the schema along the value. Where two subschemas that recurse meet the same child, the number of
 * walks doubles with every level: 40 brackets cost 2^20 checks, and as many complaints in memory. So the walks that can
 * arrive at one value are counted, for values of up to 64 levels: V(s, 0) is how many subschemas s applies to a value
 * without leaving it; V(s, d) = max over the children c of Σ V(t, d - 1), over every t that s applies to c. Work is at most
 * the number of values times the largest V. Members of different names, elements of different positions, and members
 * beside elements never meet; everything that may meet is counted as if it did.
 */
export function costlySchema(schema: Readonly<Record<string, Json>>): string | null {
  const graph = schemaGraph(schema);
  if (!graph.ok) return graph.problem;
  const { nodes } = graph;
  const flat = flattened(nodes);
  if (typeof flat === 'string') return flat;
  let visits = new Map([...flat].map(([node, { own }]) => [node, own]));
  for (let depth = 1; depth <= deepestValue; depth++) {
    const next = new Map<number, number>();
    for (const [node, { children }] of flat) {
      const { sum, edges } = worstChild(children, visits);
      if (sum > mostVisits) return meeting(edges, nodes, visits);
      next.set(node, sum);
    }
    // From here on every level costs the same.
    if ([...next].every(([node, sum]) => visits.get(node) === sum)) return null;
    visits = next;
  }
  return null;
}

/** What a subschema applies to one value with everything that it applies to that value again: how many, and their edges. */
interface Flat {
  own: number;
  /** Of one subschema each: `rest` leaves out what the same subschema names. */
  children: readonly (readonly ChildEdge[])[];
}

/** Of every subschema that a value is entered with. A circle of `$ref` that never leaves the value exceeds the bound too. */
function flattened(nodes: readonly SchemaNode[]): Map<number, Flat> | string {
  const flat = new Map<number, Flat>();
  const entries = [0];
  let edges = 0;
  for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
    if (flat.has(entry)) continue;
    const reached = [entry];
    // The list grows while it is walked; what is reached twice stands there twice.
    for (const node of reached) {
      const { same = [] } = nodes[node] ?? {};
      if (reached.length + same.length > mostVisits)
        return `"${nodes[entry]?.place}" applies more than ${mostVisits} subschemas to one value, or itself without end: take out "$ref"s that lead in a circle, and list less in "allOf", "anyOf" and "oneOf"`;
      reached.push(...same);
    }
    const children = reached.map((node) => nodes[node]?.children ?? []).filter((list) => list.length > 0);
    flat.set(entry, { own: reached.length, children });
    for (const edge of children.flat()) entries.push(edge.node);
    edges += children.reduce((sum, list) => sum + list.length, 0);
    if (edges > mostEdges) return 'the schema holds too many subschemas: say the same with fewer';
  }
  return flat;
}

/** The child at which most walks arrive, and the edges that lead there. Linear: every edge is looked at a few times. */
function worstChild(lists: Flat['children'], visits: ReadonlyMap<number, number>): { sum: number; edges: ChildEdge[] } {
  const of = (edge: ChildEdge) => visits.get(edge.node) ?? 0;
  let worst: { sum: number; at: string | null; sort: ChildEdge['sort'] } = { sum: 0, at: null, sort: 'member' };
  for (const sort of ['member', 'element', 'name'] as const) {
    const named = new Map<string, number>();
    let unnamed = 0;
    for (const list of lists) {
      const rest = list.reduce((sum, edge) => sum + (edge.sort === sort && edge.at === 'rest' ? of(edge) : 0), 0);
      for (const edge of list) {
        if (edge.sort !== sort) continue;
        if (typeof edge.at === 'string') unnamed += of(edge);
        else named.set(edge.at.one, (named.get(edge.at.one) ?? 0) + of(edge) - rest);
      }
    }
    if (unnamed > worst.sum) worst = { sum: unnamed, at: null, sort };
    for (const [at, sum] of named) if (unnamed + sum > worst.sum) worst = { sum: unnamed + sum, at, sort };
  }
  const { sum, at, sort } = worst;
  const leadsThere = (edge: ChildEdge, list: readonly ChildEdge[]) =>
    edge.sort === sort &&
    (edge.at === 'every' || (edge.at === 'rest' ? !list.some((other) => other.sort === sort && names(other, at)) : names(edge, at)));
  return { sum, edges: lists.flatMap((list) => list.filter((edge) => of(edge) > 0 && leadsThere(edge, list))) };
}

const names = ({ at }: ChildEdge, name: string | null): boolean => typeof at !== 'string' && at.one === name;

function meeting(edges: readonly ChildEdge[], nodes: readonly SchemaNode[], visits: ReadonlyMap<number, number>): string {
  const places = edges
    .toSorted((a, b) => (visits.get(b.node) ?? 0) - (visits.get(a.node) ?? 0))
    .map(({ node }) => nodes[node]?.place ?? '');
  const [first = '', second = ''] = places;
  const who =
    first === second ? `"${first}" is applied twice to the same value` : `"${first}" and "${second}" are applied to the same value`;
  return `${who}, and that again inside of it: answers of ${deepestValue} levels could be checked more than ${mostVisits} times per value. Let only one of them refer back, or give the members that recurse different names`;
}
