import { type CST, Parser } from 'yaml';

/** Where in a YAML text something lies deeper than it may. */
export interface TooDeep {
  /** Of its first character. */
  offset: number;
  path: (string | number)[];
}

/** A list, map or flow collection on the way down, and the step from the one above. */
interface Place {
  token: CST.Token | null | undefined;
  depth: number;
  above: Place | null;
  step: string | number;
}

/**
 * The first collection of a YAML text that lies below `levels` others; null where none does. Works on the tokens, which the
 * `yaml` package finds without recursion: everything after them (composing, plain data, a schema's parser) goes down the
 * stack, and 1,000 nested graders ended it with a RangeError that named no place. Collections of aliases are not looked into.
 */
export function tooDeep(text: string, levels: number): TooDeep | null {
  const waiting: Place[] = [];
  for (const document of new Parser().parse(text)) {
    if (document.type === 'document') waiting.push({ token: document.value, depth: 1, above: null, step: '' });
  }
  for (let i = 0; i < waiting.length; i++) {
    const place = waiting[i];
    if (place === undefined || !isCollection(place.token)) continue;
    if (place.depth > levels) return { offset: place.token.offset, path: pathOf(place) };
    for (const [at, { key, value }] of place.token.items.entries()) {
      const step = key !== null && key !== undefined && 'source' in key ? key.source.replace(/^(["'])(.*)\1$/, '$2') : at;
      for (const token of [key, value]) waiting.push({ token, depth: place.depth + 1, above: place, step });
    }
  }
  return null;
}

const isCollection = (token: Place['token']): token is CST.BlockMap | CST.BlockSequence | CST.FlowCollection =>
  token?.type === 'block-map' || token?.type === 'block-seq' || token?.type === 'flow-collection';

function pathOf(place: Place): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: Place = place; at.above !== null; at = at.above) path.unshift(at.step);
  return path;
}
