/** A text that another one holds in a form that a search for credentials would not see. */
export interface Layer {
  text: string;
  /** How it is hidden, for the report; empty for the text itself. */
  how: string;
  /** Where in the file's own text a character of this one comes from. */
  sourceOf(offset: number): number;
}

/** Characters that show nothing: between the letters of a key they break every pattern and survive being copied. */
const invisible = String.raw`[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]|[\u{e0000}-\u{e007f}]`;
/** `\u0041`, `\u{41}`, `\x41` of JSON and programs (in JSON inside JSON with two backslashes), `%41` of URLs. */
const escaped = String.raw`\\{1,2}u([0-9a-fA-F]{4})|\\{1,2}u\{([0-9a-fA-F]{1,6})\}|(?:\\{1,2}x|%)([0-9a-fA-F]{2})`;
const written = new RegExp(`${invisible}|${escaped}`, 'gu');
/** The end of one quoted text and the beginning of the next one: `"a" + "b"`, `'a' 'b'`, also where a JSON text holds them. */
const joint = /\\?["'`][ \t]{0,20}(?:\\?\r?\n[ \t]{0,20})?[+.&]?[ \t]{0,20}(?:\\?\r?\n[ \t]{0,20})?\\?["'`]/g;
/** Base64 of both alphabets, on one line or on lines of a fixed width; 24 characters are the shortest credential's 18. */
const base64Run = /(?:[A-Za-z0-9+/_-]{60,80}\r?\n){0,200}[A-Za-z0-9+/_-]{24,}/g;
const hexRun = /(?:[0-9a-fA-F]{2}){18,}/g;

/**
 * The text itself, the text with its escapes and invisible characters resolved and its split literals joined, and whatever
 * that holds in base64 or hexadecimal. Each is decoded once: who packs a key twice hides it on purpose, and a scan that
 * unpacked without end could be kept busy for ever. All layers together are at most six times as long as the text.
 */
export function* layersOf(text: string): Generator<Layer> {
  const own: Layer = { text, how: '', sourceOf: (offset) => offset };
  yield own;
  const resolved = rewritten(rewritten(own, written, resolve), joint, () => '');
  if (resolved.text !== text) yield { ...resolved, how: ', written with escapes, invisible characters or in pieces' };
  for (const [pattern, decode, how] of encodings) {
    for (const match of resolved.text.matchAll(pattern)) {
      // A line of base64 that follows the end of a word is read from the wrong character: all four beginnings are tried.
      for (const decoded of decode(match[0])) yield { text: decoded, how, sourceOf: () => resolved.sourceOf(match.index) };
    }
  }
}

type Decode = (run: string) => string[];
const encodings: readonly (readonly [RegExp, Decode, string])[] = [
  [base64Run, (run) => [0, 1, 2, 3].map((start) => Buffer.from(run.slice(start), 'base64').toString('latin1')), ', in base64'],
  [hexRun, (run) => [Buffer.from(run, 'hex').toString('latin1')], ', in hexadecimal'],
];

function resolve(match: RegExpMatchArray): string {
  const code = match[1] ?? match[2] ?? match[3];
  if (code === undefined) return '';
  const point = Number.parseInt(code, 16);
  return point <= 0x10_ffff ? String.fromCodePoint(point) : '';
}

/** The text with every match replaced, still knowing where each stretch came from. */
function rewritten(of: Layer, pattern: RegExp, replace: (match: RegExpMatchArray) => string): Layer {
  const parts: string[] = [];
  const starts: { here: number; source: number }[] = [{ here: 0, source: 0 }];
  let [from, length] = [0, 0];
  for (const match of of.text.matchAll(pattern)) {
    const kept = of.text.slice(from, match.index);
    const put = replace(match);
    parts.push(kept, put);
    from = match.index + match[0].length;
    length += kept.length + put.length;
    starts.push({ here: length, source: from });
  }
  parts.push(of.text.slice(from));
  const sourceOf = (offset: number): number => {
    const start = starts.findLast(({ here }) => here <= offset) ?? { here: 0, source: 0 };
    return of.sourceOf(start.source + offset - start.here);
  };
  return { text: parts.join(''), how: '', sourceOf };
}
