import { createHash } from 'node:crypto';
import type { Json } from '../../contracts/json.ts';

/** A text as a judge sees it. */
export interface Shown {
  /** The whole of it, or its beginning and its end. */
  pieces: readonly string[];
  /** What is not shown of it; null when nothing. */
  cut: { characters: number; sha256: string } | null;
}

/**
 * A stranger's text made fit for a judge, and nothing else: NFKC, so that full-width and styled letters are the letters a
 * reader takes them for; without characters that no reader sees (zero-width, bidirectional, tags, controls but newline and
 * tab); signs for private use as U+FFFD, so that a datamark can be told from every sign of the text; and with the markers
 * of chat templates broken by a space. Changes that lose meaning (² becomes 2) are the price: a quote is compared
 * after the same steps, so it still shows what was there.
 */
export function cleanText(text: string): string {
  const seen = text
    .toWellFormed()
    .normalize('NFKC')
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu, '')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .replace(/\p{Co}/gu, '\uFFFD');
  return reservedMarkers.reduce((rest, [marker, broken]) => rest.replace(marker, broken), seen);
}

/** Signs that some model's chat template, put together without care, takes for the end of a turn. */
const reservedMarkers: readonly [RegExp, string][] = [
  [/<\|/g, '< |'],
  [/\|>/g, '| >'],
  [/<(?=<\/?SYS>>)/gi, '< '],
  [/\[(?=\/?(?:INST|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|SYSTEM_PROMPT)\])/gi, '[ '],
  [/<(?=\/?(?:tool_calls?|tool_response|tools|think)>)/gi, '< '],
  [/<(?=\/?(?:s|bos|eos|unk|pad|start_of_turn|end_of_turn)>)/gi, '< '],
];

/** Share of a cut text that its beginning gets. */
const headShare = 2 / 3;
/** NFKC makes up to 18 characters of one, so a text is cut to this many times the limit before it is cleaned. */
const roomBeforeCleaning = 4;

/** At most `most` code points of a text, cleaned: all of it, or beginning and end with the cut named. */
export function showText(text: string, most: number): Shown {
  const room = most * roomBeforeCleaning;
  if (text.length <= room * 2) {
    const points = Array.from(cleanText(text));
    if (points.length <= most) return { pieces: [points.join('')], cut: null };
    return cutOf(text, points, points, most);
  }
  return cutOf(text, Array.from(cleanText(text.slice(0, room))), Array.from(cleanText(text.slice(-room))), most);
}

function cutOf(text: string, beginning: readonly string[], end: readonly string[], most: number): Shown {
  const head = Math.ceil(most * headShare);
  const pieces = [beginning.slice(0, head).join(''), end.slice(-(most - head)).join('')];
  const sha256 = createHash('sha256').update(text, 'utf8').digest('hex');
  return { pieces, cut: { characters: Math.max(1, codePoints(text) - most), sha256 } };
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

const mostTexts = 64;

/** Texts of one source, shown as one list within one limit. */
export interface ShownTexts {
  texts: readonly Shown[];
  /** Texts in the middle of the list that are not shown. */
  left: number;
}

/** Each text gets the same share of `most`; of very many the first and last are shown. */
export function showTexts(texts: readonly string[], most: number): ShownTexts {
  const head = Math.ceil(mostTexts * headShare);
  const kept = texts.length <= mostTexts ? texts : [...texts.slice(0, head), ...texts.slice(head - mostTexts)];
  const share = Math.max(2, Math.floor(most / Math.max(1, kept.length)));
  return { texts: kept.map((text) => showText(text, share)), left: texts.length - kept.length };
}

/** Was anything of them left out? */
export const isCut = ({ texts, left }: ShownTexts): boolean => left > 0 || texts.some(({ cut }) => cut !== null);

/** Is there nothing in them that a reader sees? */
export const isBlank = ({ texts }: ShownTexts): boolean => texts.every(({ pieces }) => pieces.every((piece) => piece.trim() === ''));

/** As the JSON that stands in the box; `mark` is put on every piece of a stranger's text. */
export function boxOf({ texts, left }: ShownTexts, mark: (text: string) => string): Json {
  const boxes = texts.map(({ pieces, cut }): Json => {
    const [beginning = '', end = ''] = pieces.map(mark);
    if (cut === null) return { text: beginning };
    return { beginning, characters_not_shown: cut.characters, sha256_of_the_whole: cut.sha256, end };
  });
  if (boxes.length === 1 && left === 0) return boxes[0]!;
  return left === 0 ? { list: boxes } : { list: boxes, texts_not_shown_in_the_middle: left };
}
