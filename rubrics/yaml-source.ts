import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml';
import { firstBelow } from './nesting.ts';
import { tooDeep } from './yaml-depth.ts';

export interface PlacedProblem {
  line: number | null;
  path: string;
  message: string;
}

/** A YAML file as plain data that still knows its lines. */
export interface YamlSource {
  value: unknown;
  /** The 1-based line of a path, or of its nearest existing ancestor; with `key`, the line of that key below the path. */
  lineOf(path: readonly PropertyKey[], key?: string): number | null;
}

export type YamlResult = { ok: true; source: YamlSource } | { ok: false; problems: PlacedProblem[] };

const maxBytes = 524_288;
/** Aliases multiply: nine lines of nine aliases each are a billion nodes. A few anchors are convenient, more are an attack. */
const maxAliasCount = 10;
/** Far below where the recursion of parsers and schemas ends; graders nest at most 5 deep, and a schema of answers needs about ten. */
const maxDepth = 64;
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Parses a YAML 1.2 file with the core schema only: no tags, no merge keys, no second document, keys unique and texts,
 * numbers finite. Never throws, whatever the bytes.
 */
export function parseYaml(bytes: Uint8Array): YamlResult {
  if (bytes.byteLength > maxBytes) return refuse(`has ${bytes.byteLength} bytes, at most ${maxBytes} are accepted`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('is not valid UTF-8 text');
  }
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RangeError) return refuse('nests too deeply');
    if (error instanceof ReferenceError) return refuse(`uses too many aliases, at most ${maxAliasCount} are accepted`);
    return refuse(`is not YAML: ${firstLine(error instanceof Error ? error.message : String(error))}`);
  }
}

const refuse = (message: string): YamlResult => ({ ok: false, problems: [{ line: null, path: '', message }] });
const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').slice(0, 300);

function parse(text: string): YamlResult {
  const deep = tooDeep(text, maxDepth);
  if (deep !== null) return { ok: false, problems: [nestsTooDeeply(text.slice(0, deep.offset).split('\n').length, deep.path)] };
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: true,
    strict: true,
    lineCounter: lines,
    prettyErrors: false,
    // At 'silent' the parser keeps quiet about a second document and drops it.
    logLevel: 'error',
  });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const faults = [...document.errors, ...document.warnings].map((error) => ({
    line: lineAt(error.pos[0]),
    path: '',
    message: firstLine(error.message),
  }));
  if (faults.length > 0) return { ok: false, problems: faults.slice(0, 20) };
  const problems = checkNodes(document, lineAt);
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, 20) };
  const value: unknown = document.toJS({ maxAliasCount });
  // Aliases in aliases reach deeper than the text does.
  const below = firstBelow(value, maxDepth);
  if (below !== null) return { ok: false, problems: [nestsTooDeeply(findLine(document, lineAt, below), below)] };
  return { ok: true, source: { value, lineOf: (path, key) => findLine(document, lineAt, path, key) } };
}

/** The first levels name the place well enough. */
const nestsTooDeeply = (line: number | null, path: readonly (string | number)[]): PlacedProblem => ({
  line,
  path: path.slice(0, 12).join('/').slice(0, 300),
  message: `lists and maps nest more than ${maxDepth} levels deep here: say the same with fewer levels`,
});

function checkNodes(document: Document.Parsed, lineAt: (offset: number) => number): PlacedProblem[] {
  const problems: PlacedProblem[] = [];
  let aliases = 0;
  const complain = (node: Node, message: string) => problems.push({ line: node.range ? lineAt(node.range[0]) : null, path: '', message });
  visit(document, {
    Alias: (_, node) => {
      if (++aliases > maxAliasCount) {
        complain(node, `too many aliases, at most ${maxAliasCount} are accepted`);
        return visit.BREAK;
      }
      return undefined;
    },
    Pair: (_, { key }) => {
      if (!isScalar(key) || typeof key.value !== 'string') {
        if (isScalar(key) || isMap(key) || isSeq(key) || isAlias(key)) complain(key, 'a key must be a text; put it in quotes');
      } else if (forbiddenKeys.has(key.value)) complain(key, `the key "${key.value}" is reserved`);
    },
    Scalar: (_, node) => {
      if (node.tag?.startsWith('!') || (typeof node.value === 'number' && !Number.isFinite(node.value)))
        complain(node, typeof node.value === 'number' ? 'expected a finite number' : `the tag "${node.tag}" is not known`);
    },
  });
  return problems;
}

function findLine(
  document: Document.Parsed,
  lineAt: (offset: number) => number,
  path: readonly PropertyKey[],
  key?: string,
): number | null {
  let node: unknown = document.contents;
  let offset = isMap(node) || isSeq(node) || isScalar(node) ? (node.range?.[0] ?? null) : null;
  for (const step of key === undefined ? path : [...path, key]) {
    if (isAlias(node)) node = node.resolve(document);
    const found = stepInto(node, step);
    if (!found) break;
    node = found.node;
    offset = found.offset ?? offset;
  }
  return offset === null ? null : lineAt(offset);
}

/** The child of a map or list and where it starts: at its key, or at the list's entry. */
function stepInto(node: unknown, step: PropertyKey): { node: unknown; offset: number | null } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item: Pair) => isScalar(item.key) && item.key.value === step);
    return pair && { node: pair.value, offset: isScalar(pair.key) ? (pair.key.range?.[0] ?? null) : null };
  }
  if (!isSeq(node) || typeof step !== 'number') return undefined;
  const item = node.items[step];
  return item === undefined
    ? undefined
    : { node: item, offset: isMap(item) || isSeq(item) || isScalar(item) || isAlias(item) ? (item.range?.[0] ?? null) : null };
}
