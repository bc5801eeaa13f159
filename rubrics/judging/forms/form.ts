import { z } from 'zod';
import type { Json } from '../../../contracts/json.ts';
import { quotesProblem } from '../quotes.ts';
import type { ShownTexts } from '../shown.ts';

/** `reversed`: the other text is shown first. Only pairs are asked in both orders. */
export type Order = 'forward' | 'reversed';

/** What was shown in one call, to check quotes against. */
export interface Sight {
  graded: ShownTexts;
  /** The other text of a pair; the graded one where there is none. */
  against: ShownTexts;
  mark: string;
  order: Order;
  /** A verdict in favour needs a quote. */
  evidenceRequired: boolean;
}

/** What a valid reply says. */
export interface Reading {
  /** 0..1, by the question's form. */
  score: number;
  /** The least one, where there are several. */
  confidence: number;
  quotes: string[];
  /** In the words of the reply, for a reviewer. */
  verdict: Json;
  /** The score rests on something not being there; of a text that was cut this says nothing. */
  byAbsence: boolean;
}
export type ReadResult = { ok: true; reading: Reading } | { ok: false; problem: string };

/** One form of question: what is said, what may come back, and what that is worth. */
export interface QuestionForm {
  /** Our words and the sponsor's question; nothing of any graded text. */
  instructions: string;
  /** Properties of the reply besides the nonce; each one is required. JSON Schema, within what strict tools of providers know. */
  properties: Record<string, Json>;
  orders: readonly Order[];
  /** The reply that an attacker wants, as members of JSON, for our own attacks. */
  wish: string;
  /** "No" is a part of it. */
  passesByNo: boolean;
  read(fields: Json, sight: Sight): ReadResult;
  /** One reading per order, to one. */
  combine(readings: readonly Reading[]): Reading & { note?: string };
}

const mostQuotes = 4;
const longestQuote = 600;

/** Fields that come with every verdict. Their bounds are checked here: strict tools do not know them. */
export const reasonFields = {
  confidence: z.number().min(0).max(1),
  evidence: z.array(z.string().max(longestQuote)).max(mostQuotes),
};
export const reasonProperties: Record<string, Json> = {
  confidence: { type: 'number', description: 'How sure you are, from 0 to 1.' },
  evidence: {
    type: 'array',
    items: { type: 'string' },
    description: `At most ${mostQuotes} quotes, each at most 300 characters, copied letter by letter from the graded text.`,
  },
};

/** Reads strictly: a member too many, or one of the wrong kind, makes the whole reply unusable. */
export function parseFields<T>(schema: z.ZodType<T>, fields: Json): { ok: true; value: T } | { ok: false; problem: string } {
  const parsed = schema.safeParse(fields);
  if (parsed.success) return { ok: true, value: parsed.data };
  const issue = parsed.error.issues[0];
  return { ok: false, problem: `does not fit the form at "${issue?.path.join('/') ?? ''}"` };
}

/** What is wrong with the evidence of one verdict; `favours` when the verdict claims that something is there. */
export function evidenceProblem(quotes: readonly string[], favours: boolean, texts: ShownTexts, sight: Sight): string | null {
  if (favours && sight.evidenceRequired && quotes.length === 0) return 'claims something without a quote';
  return quotesProblem(quotes, texts, sight.mark);
}

/** For forms that are asked in one order. */
export function single(readings: readonly Reading[]): Reading {
  const [reading] = readings;
  if (!reading || readings.length > 1) throw new Error('this form is asked in one order');
  return reading;
}

/** One object of JSON Schema with every member required and no other allowed. */
export const closedObject = (properties: Record<string, Json>): { [key: string]: Json } => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
