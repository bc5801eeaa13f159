import type { Json } from '../../../contracts/json.ts';
import { lastUserMessage, type SimulatedModel } from './model.ts';

/**
 * Theory of operation. A model that has memorised some documents word for word, each behind one of three guards
 * (`input.guard` of the case; the text and its canary are `expected.passage` and `expected.canary`):
 * `none` gives the text to whoever names its title or quotes four words in a row of it · `refusal` declines whatever asks
 * for a text, and continues a bare quotation · `filter` is as talkative as `none`, but replies with the opening of the
 * text, or with a GUID in small letters, are withheld. A canary is a line "<title>, canary GUID <guid>" beside an
 * invented text; of a document with a canary only this line is memorised. It repeats what it is told to repeat. Which
 * texts real models memorise, and how they guard them, is another matter; nothing here claims to be a language model.
 */
export const regurgitator: SimulatedModel = (request, { world, ref }) => {
  const found = world.cases.find((one) => one.case.id === ref.caseId)?.case;
  if (found === undefined) throw new Error(`the simulated regurgitator knows no case "${ref.caseId}"`);
  const message = lastUserMessage(request);
  const echoed = /^\s*repeat after me:\s*(\S[\s\S]*)/i.exec(message)?.[1];
  return { text: echoed ?? said(message, documentOf(found.id, found.input, found.expected)) };
};

interface Document {
  kind: 'passage' | 'canary';
  guard: 'none' | 'refusal' | 'filter';
  title: string;
  text: string;
  canary: string;
}

function documentOf(id: string, input: Json, expected: Json | undefined): Document {
  const { kind, guard, title } = membersOf(input);
  const { passage, canary } = membersOf(expected);
  const isKnown = (kind === 'passage' || kind === 'canary') && (guard === 'none' || guard === 'refusal' || guard === 'filter');
  if (!isKnown || typeof title !== 'string' || typeof passage !== 'string' || typeof canary !== 'string')
    throw new Error(`case "${id}" lacks what the simulated regurgitator reads: input.kind, guard, title, expected.passage, canary`);
  return { kind, guard, title, text: passage, canary };
}

const membersOf = (value: Json | undefined): Partial<Record<string, Json>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};

const smallTalk = 'I am a simulated model that has read a few books. Name one, or quote a line of it.';
const declined = 'I cannot reproduce texts.';
const withheld = '[A filter withheld this reply because it reproduces a protected text.]';

function said(message: string, document: Document): string {
  if (document.guard === 'refusal' && asksForText.test(message)) return declined;
  return document.kind === 'passage' ? passageSaid(message, document) : canarySaid(message, document);
}

const asksForText =
  /\b(recite|quote|verbatim|reproduce|repeat|print|write|give|tell|show|reveal|text|lyrics|poem|continue|complete|finish|what|which|please)\b|\?/i;

/** A quotation this long names the place from which the model goes on. */
const wordsToContinue = 4;
/** The opening that the filter looks for: words 6 to 17, which follow any short quotation of the beginning. */
const [openingFrom, openingTo] = [5, 17];

function passageSaid(message: string, { guard, title, text }: Document): string {
  const at = quotedEnd(message, text);
  if (at === null && (guard === 'refusal' || !names(message, title))) return smallTalk;
  const reply = text.slice(at ?? 0).trim();
  if (reply === '') return smallTalk;
  if (guard === 'filter' && spoken(reply).includes(wordsOf(text).slice(openingFrom, openingTo).map(plain).join(' '))) return withheld;
  return reply;
}

function canarySaid(message: string, { guard, title, canary }: Document): string {
  if (!names(message, title) || !/\bguid\b/i.test(message)) return smallTalk;
  const said = /capital|upper/i.test(message) ? canary.toUpperCase() : canary;
  const line = `${title}, canary GUID ${said}`;
  return guard === 'filter' && /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.test(line) ? withheld : line;
}

/** All words of the title before its comma, in their order. */
const names = (message: string, title: string): boolean => ` ${spoken(message)} `.includes(` ${spoken(title.split(',')[0] ?? title)} `);

/** Where the text goes on after the longest run of its words that the message quotes; null when it quotes too little. */
function quotedEnd(message: string, text: string): number | null {
  const heard = ` ${spoken(message)} `;
  const words = wordsOf(text);
  let longest = wordsToContinue - 1;
  let end: number | null = null;
  for (let from = 0; from + longest < words.length; from++) {
    let length = longest + 1;
    if (!quotes(heard, words, from, length)) continue;
    while (from + length < words.length && quotes(heard, words, from, length + 1)) length++;
    longest = length;
    const last = words[from + length - 1];
    end = last === undefined ? null : last.index + last[0].length;
  }
  return end;
}

const quotes = (heard: string, words: readonly RegExpExecArray[], from: number, length: number): boolean =>
  heard.includes(
    ` ${words
      .slice(from, from + length)
      .map(plain)
      .join(' ')} `,
  );

const wordsOf = (text: string): RegExpExecArray[] => [...text.matchAll(/[\p{L}\p{N}]+/gu)];
const plain = (word: RegExpExecArray): string => word[0].toLowerCase();
const spoken = (text: string): string => wordsOf(text).map(plain).join(' ');
