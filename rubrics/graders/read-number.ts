/** How numbers are written in the texts of one grader. */
export interface NumberRules {
  parse: 'whole' | 'first' | 'last';
  decimal: 'point' | 'comma';
  /** Accepted units with their size in the unit of the result; undefined where numbers have none. */
  units?: ReadonlyMap<string, number> | undefined;
  unitRequired: boolean;
}

export type NumberRead = { ok: true; value: number } | { ok: false; problem: string };

/** Alternatives that share no first character after the sign, so that nothing is read twice: linear on any text. */
const patterns = {
  point: /(?<![\p{L}\p{N}_.,])[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:\.\d+)?(?:(?<=\d)e[-+]?\d{1,4})?/giu,
  comma: /(?<![\p{L}\p{N}_.,])[-+]?(?:\d{1,3}(?:\.\d{3})+(?!\d)|\d+)?(?:,\d+)?(?:(?<=\d)e[-+]?\d{1,4})?/giu,
} as const;
/** Punctuation and mark-up after a number (`42*`, `42.`) are no unit. */
const unitWord = /\s?([\p{L}\p{Sc}%‰°/^_][^\s.,;:!?()[\]"'*]{0,19})/uy;

/**
 * Reads a number from a text. Full-width digits and U+2212 count as their plain forms, invisible characters as absent.
 * Groups of three digits may be separated by the sign that is not the decimal one. Not numbers: hexadecimal, `1/2`,
 * words, NaN, infinities, anything beyond a double, digits glued to letters (unless these are an accepted unit), and
 * digits followed by a malformed group (`1,23` with a decimal point).
 */
export function readNumber(text: string, rules: NumberRules): NumberRead {
  const plain = text
    .normalize('NFKC')
    .replaceAll(/\p{Cf}+/gu, '')
    .replaceAll('\u2212', '-')
    .trim();
  if (rules.parse === 'whole') return readAt(plain, rules);
  let found: NumberRead = { ok: false, problem: 'holds no number' };
  for (const match of plain.matchAll(patterns[rules.decimal])) {
    if (!/\d/.test(match[0])) continue;
    found = convert(plain, match[0], match.index + match[0].length, rules).read;
    if (rules.parse === 'first') break;
  }
  return found;
}

function readAt(plain: string, rules: NumberRules): NumberRead {
  const pattern = new RegExp(patterns[rules.decimal].source, 'iuy');
  const written = pattern.exec(plain)?.[0] ?? '';
  if (!/\d/.test(written)) return { ok: false, problem: 'is not a number' };
  const { read, end } = convert(plain, written, written.length, rules);
  return read.ok && end !== plain.length ? { ok: false, problem: 'is not one number alone' } : read;
}

/** The value of what was matched, with the unit after it; `end` is the position behind both. */
function convert(plain: string, written: string, after: number, rules: NumberRules): { read: NumberRead; end: number } {
  const refuse = (problem: string) => ({ read: { ok: false, problem } as const, end: after });
  if (/^[.,]?\d/.test(plain.slice(after, after + 2))) return refuse('has digits in malformed groups');
  const [group, point] = rules.decimal === 'point' ? [',', '.'] : ['.', ','];
  const value = Number(written.replaceAll(group, '').replace(point, '.'));
  if (!Number.isFinite(value)) return refuse('is beyond what a double holds');
  const word = wordAfter(plain, after);
  if (rules.units === undefined) {
    const glued = word !== undefined && word.start === after;
    return glued ? refuse('is glued to letters or a sign') : { read: { ok: true, value }, end: after };
  }
  if (word === undefined) return rules.unitRequired ? refuse('has no unit') : { read: { ok: true, value }, end: after };
  const size = rules.units.get(word.text);
  // A unit that is not known is refused, not skipped: 5 kg must not be read as 5 m.
  if (size === undefined) return refuse('is followed by a word that is not an accepted unit');
  return { read: { ok: true, value: value * size }, end: word.end };
}

function wordAfter(plain: string, after: number): { text: string; start: number; end: number } | undefined {
  unitWord.lastIndex = after;
  const match = unitWord.exec(plain);
  if (!match?.[1]) return undefined;
  const end = after + match[0].length;
  return { text: match[1], start: end - match[1].length, end };
}
