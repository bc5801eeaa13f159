import { secretFormats } from './secret-formats.ts';
import { layersOf } from './secret-layers.ts';

/** One credential that stands in a file. Nothing of it leaves this module but what `shown` holds. */
export interface FoundSecret {
  file: string;
  /** 1-based. */
  line: number;
  what: string;
  /** Its first characters, at most a quarter of it and at most four, and its length. */
  shown: string;
}

export interface SecretScan {
  found: FoundSecret[];
  /** Files that are not text (archives, pictures): nobody looked into them. */
  unread: string[];
}

/** More are not listed: the first few say what to do. */
const mostFound = 50;

/**
 * Looks for credentials in every text file of a rubric: known formats of issuers, and values that look drawn at random
 * where a name says key, secret, token or password. An official public grader of a competition shipped with a cloud
 * token inside; whoever copies a rubric copies that too. Also one that is encoded or written in pieces (`layersOf`), and in
 * UTF-16 where the file says so. What is made up for a challenge says so by the word EXAMPLE in it, the convention of AWS's
 * own documents, with nothing beside it that looks drawn at random.
 */
export function scanForSecrets(files: Iterable<readonly [path: string, bytes: Uint8Array]>): SecretScan {
  const found: FoundSecret[] = [];
  const unread: string[] = [];
  for (const [file, bytes] of files) {
    const text = textOf(bytes);
    if (text === null) unread.push(file);
    else found.push(...scanText(file, text));
    if (found.length >= mostFound) break;
  }
  return { found: found.slice(0, mostFound), unread };
}

/** As git does: a NUL near the start is no text. Other bytes that are not UTF-8 still are, and hide nothing in ASCII. */
function textOf(bytes: Uint8Array): string | null {
  const mark = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : null;
  if (mark !== null) return new TextDecoder(mark).decode(bytes);
  return bytes.subarray(0, 8_000).includes(0) ? null : new TextDecoder().decode(bytes);
}

interface Hit {
  what: string;
  secret: string;
}

function scanText(file: string, text: string): FoundSecret[] {
  const found: FoundSecret[] = [];
  const told = new Set<string>();
  for (const { text: layer, how, sourceOf } of layersOf(text)) {
    // Each look for a line walks the text: only for what is shown.
    for (const [at, { what, secret }] of hitsIn(layer).slice(0, mostFound - found.length)) {
      const line = lineAt(text, sourceOf(at));
      // What stands there in the open is found again in the resolved text.
      if (how !== '' && told.has(`${line} ${what}`)) continue;
      told.add(`${line} ${what}`);
      found.push({ file, line, what: `${what}${how}`, shown: masked(secret) });
    }
    if (found.length >= mostFound) break;
  }
  return found.sort((a, b) => a.line - b.line);
}

/** Where in the text which credential stands, in order. */
function hitsIn(text: string): [at: number, Hit][] {
  const hits = new Map<number, Hit>();
  for (const { name, pattern, group } of secretFormats) {
    for (const match of text.matchAll(pattern)) {
      const secret = match[group] ?? match[0];
      if (!isPlaceholder(secret)) keepFirst(hits, match.index + match[0].indexOf(secret), { what: name, secret });
    }
  }
  for (const match of text.matchAll(assignment)) {
    const value = match[1] ?? '';
    if (!isPlaceholder(value) && looksDrawn(value))
      keepFirst(hits, match.index + match[0].lastIndexOf(value), {
        what: 'a value that looks drawn at random behind a name of secrets',
        secret: value,
      });
  }
  return [...hits].sort(([a], [b]) => a - b);
}

function keepFirst<T>(hits: Map<number, T>, at: number, hit: T): void {
  if (!hits.has(at)) hits.set(at, hit);
}

/** `name: value`, `"name": "value"`, `name = value`, also inside a JSON text, where quotes are escaped. */
const assignment =
  /(?:key|secret|token|passwd|password|credential)s?[A-Za-z0-9_-]{0,20}(?:\\?["'])?\s{0,4}(?:=>|:=|[:=])\s{0,4}(?:\\?["'])?([A-Za-z0-9+/=_~-]{16,200})(?![A-Za-z0-9+/=_~(.-])/gi;

/**
 * Letters and digits mixed, and as much Shannon entropy as random text of its length has: 16 random base64 characters
 * have about 3.8 bits each, 32 random hexadecimal digits about 3.6; identifiers and words of that length stay below 3.4.
 */
function looksDrawn(value: string): boolean {
  const digits = value.match(/[0-9]/g)?.length ?? 0;
  const letters = value.match(/[A-Za-z]/g)?.length ?? 0;
  if (digits < 2 || letters < 2) return false;
  // `level-1-secret-keeper-2` is a name: random text is not broken into words.
  if (value.split(/[-_/=+~]/).every((word) => /^(?:[A-Za-z]+|[0-9]+|[A-Za-z]+[0-9]{1,2})$/.test(word) || word === '')) return false;
  return entropyBits(value) >= (/^[0-9a-f]+$/i.test(value) ? 3.2 : 3.5);
}

/** Shannon entropy of the characters' frequencies, in bits per character. */
function entropyBits(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}

/** What documents write in a secret's place. */
const placeholderWords = /example|redacted|placeholder|change-?me|your(?=[_-])|dummy/gi;
const placeholder = /^(?:pass(?:word|wd)?|secret|\$.*|\{.*|%.*|\*+|[xX.]+)$/;

/** The word alone excuses nothing: beside it nothing may look drawn at random, or every key would be one word away from it. */
function isPlaceholder(text: string): boolean {
  const rest = text.replace(placeholderWords, '');
  return (rest !== text || placeholder.test(text)) && !looksDrawn(rest);
}

const masked = (secret: string): string => `${secret.slice(0, Math.min(4, Math.floor(secret.length / 4)))}… (${secret.length} characters)`;

function lineAt(text: string, at: number): number {
  let line = 1;
  for (let next = text.indexOf('\n'); next >= 0 && next < at; next = text.indexOf('\n', next + 1)) line++;
  return line;
}
