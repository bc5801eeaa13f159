/**
 * Ways in which a text can carry a secret without showing it, each as a test on a whole text. A secret's encoded
 * forms are computed once and then only searched for: nothing in the text is decoded, so a text cannot make this slow.
 */
export interface LeakTest {
  encoding: string;
  found(text: string): boolean;
}

/** Below this many letters and digits a folded secret turns up by chance; only the verbatim text counts then. */
const shortestFolded = 4;

/** The tests for one secret, from the plainest to the most contrived. */
export function leakTests(secret: string): LeakTest[] {
  if (secret === '') return [];
  const tests: LeakTest[] = [{ encoding: 'verbatim', found: (text) => text.includes(secret) }];
  const bare = lettersAndDigits(secret);
  if (Array.from(bare).length < shortestFolded) return tests;
  const search = (encoding: string, form: (text: string) => string, needles: readonly string[]) =>
    tests.push({
      encoding,
      found: (text) => {
        const searched = form(text);
        return needles.some((needle) => searched.includes(needle));
      },
    });
  const cases = [...new Set([secret, secret.toLowerCase(), secret.toUpperCase()])];
  const reversed = Array.from(bare).reverse().join('');
  const rotated = rot13(bare);
  search('casefold', casefold, [casefold(secret)]);
  search('separated', lettersAndDigits, [bare]);
  search('homoglyph', (text) => lettersAndDigits(withoutLookalikes(text)), [lettersAndDigits(withoutLookalikes(secret))]);
  if (reversed !== bare) search('reversed', lettersAndDigits, [reversed]);
  if (rotated !== bare) search('rot13', lettersAndDigits, [rotated]);
  search('base64', base64Alphabet, cases.flatMap(base64Needles));
  search('base32', base32Alphabet, cases.flatMap(base32Needles));
  search(
    'hex',
    hexDigits,
    cases.map((form) => Buffer.from(form, 'utf8').toString('hex')),
  );
  search(
    'character-codes',
    numbersIn,
    cases.map((form) => ` ${Array.from(form, (c) => c.codePointAt(0)).join(' ')} `),
  );
  search('binary', (text) => text.replaceAll(/[^01]+/g, ''), cases.map(bits));
  return tests;
}

/** Upper case first: then ß and ss, or ς and σ, meet as Unicode's case folding wants it. */
export const casefold = (text: string): string => text.toUpperCase().toLowerCase();

/** Letters and digits alone, folded: `P-A s.s` is `pass`. Invisible characters fall out as well. */
export const lettersAndDigits = (text: string): string => casefold(text).replaceAll(/[^\p{L}\p{N}]+/gu, '');

export const rot13 = (text: string): string =>
  text.replaceAll(/[a-z]/gi, (c) => {
    const base = c <= 'Z' ? 65 : 97;
    return String.fromCharCode(((c.charCodeAt(0) - base + 13) % 26) + base);
  });

/** Cyrillic, Greek and other letters that look like Latin ones (a part of Unicode's confusables, UTS 39), lower case. */
const lookalikes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: 'аαɑ',
    b: 'вьβƅ',
    c: 'сϲᴄ',
    d: 'ԁɗ',
    e: 'еεєҽ',
    f: 'ғƒϝ',
    g: 'ɡց',
    h: 'һнհ',
    i: 'іıιɩ',
    j: 'јϳ',
    k: 'кκ',
    l: 'ӏⅼǀ',
    m: 'мⅿ',
    n: 'пոη',
    o: 'оοσօ',
    p: 'рρ',
    q: 'ԛզ',
    r: 'гᴦ',
    s: 'ѕꜱ',
    t: 'тτ',
    u: 'υսᴜ',
    v: 'ѵνᴠ',
    w: 'ԝωѡ',
    x: 'хχ',
    y: 'уγү',
    z: 'ᴢʐζ',
  }).flatMap(([latin, others]) => Array.from(others, (other): [string, string] => [other, latin])),
);

/** NFKC (full-width, circled, mathematical letters), without accents, with lookalikes replaced. */
export const withoutLookalikes = (text: string): string =>
  Array.from(
    casefold(
      text
        .normalize('NFKC')
        .normalize('NFD')
        .replaceAll(/\p{M}+/gu, ''),
    ),
    (c) => lookalikes.get(c) ?? c,
  ).join('');

/** URL-safe digits become the plain ones; line breaks and padding vanish. */
const base64Alphabet = (text: string): string =>
  text
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replaceAll(/[\s=]+/g, '');
const base32Alphabet = (text: string): string => text.toUpperCase().replaceAll(/[\s=-]+/g, '');

/**
 * A secret inside a longer encoded text starts at one of three byte offsets. Of each, the characters that depend on
 * the secret's own bits alone are kept: `offset` bytes of padding in front, neighbours cut at both ends.
 */
function base64Needles(secret: string): string[] {
  return [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret, 'utf8')]);
    return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
  });
}

function base32Needles(secret: string): string[] {
  return [0, 1, 2, 3, 4].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret, 'utf8')]);
    return base32(bytes).slice(Math.ceil((offset * 8) / 5), Math.floor((bytes.length * 8) / 5));
  });
}

/** RFC 4648 base32 without padding. */
export function base32(bytes: Uint8Array): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let pending = 0;
  let pendingBits = 0;
  let text = '';
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    pendingBits += 8;
    while (pendingBits >= 5) {
      pendingBits -= 5;
      text += alphabet[(pending >>> pendingBits) & 31];
      pending &= (1 << pendingBits) - 1;
    }
  }
  return pendingBits > 0 ? text + alphabet[(pending << (5 - pendingBits)) & 31] : text;
}

/** `0x70 0x61`, `\x70\x61`, `70:61`, `%70%61` and `7061` are one text; other letters stay and keep words apart. */
const hexDigits = (text: string): string => text.toLowerCase().replaceAll(/0x|\\x|\\u00|[\s:,;%-]+/g, '');
const numbersIn = (text: string): string => ` ${(text.match(/\d+/g) ?? []).join(' ')} `;
const bits = (text: string): string => Array.from(Buffer.from(text, 'utf8'), (byte) => byte.toString(2).padStart(8, '0')).join('');
