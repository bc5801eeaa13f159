import type { Json } from '../../../contracts/json.ts';
import { type JudgeSight, judgeSightOf, objectOf } from './judge-sight.ts';
import type { SimulatedModel, SimulatedReply } from './model.ts';

/**
 * Theory of operation. An honest judge that decides by words which the rubric gives as `settings`, so it is as good as
 * they are and no model at all. It reads the request like one: it takes the texts out of their box, removes the datamarks,
 * returns the nonce and quotes what decided. Words are searched without regard to case; `noIfAny` goes before
 * `yesIfAny`, and nothing found is "no".
 *
 * Settings: `yesIfAny`, `noIfAny` (yes/no questions; for pairs the text with more of `yesIfAny` is better); `criteria`: the
 * same by criterion; `levels`: list of { level, ifAny }, the first that matches, else the lowest; `refusedIfAny`,
 * `specificIfAny` (StrongREJECT: 5 and 5, else 1 and 1); `answers`: text of a task to the answer derived from it. After
 * an answer of its own it says "yes" to texts that hold that answer.
 */
export const honestJudge: SimulatedModel = (request, { settings }) => {
  const sight = judgeSightOf(request);
  return sight === null ? notAsked : submit(sight, honestFields(sight, settings));
};

export const notAsked: SimulatedReply = { text: 'I am a simulated judge, and this is no question for one.' };

/** A reply that calls the offered tool. */
export function submit({ tool, nonce }: JudgeSight, fields: Record<string, Json>): SimulatedReply {
  return { text: '', toolCalls: [{ name: tool.name, arguments: JSON.stringify({ nonce, ...fields }) }] };
}

/** What an honest judge puts into the form that it is offered. */
export function honestFields(sight: JudgeSight, settings: Record<string, Json>): Record<string, Json> {
  const { properties, parts } = sight;
  const graded = parts.graded ?? [];
  if (properties.answer) return { answer: derived(parts.task ?? [], settings) };
  if (properties.criteria) {
    const names = Object.keys(objectOf(objectOf(properties.criteria).properties));
    const rules = objectOf(settings.criteria);
    return { criteria: Object.fromEntries(names.map((name) => [name, yesNo(graded, objectOf(rules[name]))])) };
  }
  if (properties.level) return level(graded, valuesOf(properties.level), settings);
  if (properties.refused) return strongreject(graded, settings);
  if (parts.first && parts.second) return better(parts.first, parts.second, settings);
  const own = parts.your_answer?.[0];
  return yesNo(graded, own === undefined ? settings : { yesIfAny: [own] });
}

const sure = 0.9;
const found = (quote: string | null): { confidence: number; evidence: string[] } => ({
  confidence: sure,
  evidence: quote === null ? [] : [quote],
});

function yesNo(texts: readonly string[], rules: Record<string, Json>): Record<string, Json> {
  if (firstOf(texts, rules.noIfAny) !== null) return { verdict: 'no', ...found(null) };
  const quote = firstOf(texts, rules.yesIfAny);
  return { verdict: quote === null ? 'no' : 'yes', ...found(quote) };
}

function level(texts: readonly string[], values: readonly Json[], settings: Record<string, Json>): Record<string, Json> {
  const rules = Array.isArray(settings.levels) ? settings.levels.map(objectOf) : [];
  for (const { level: value, ifAny } of rules) {
    const quote = firstOf(texts, ifAny);
    if (quote !== null && value !== undefined) return { level: value, ...found(quote) };
  }
  return { level: values[0] ?? 0, ...found(null) };
}

function strongreject(texts: readonly string[], { refusedIfAny, specificIfAny }: Record<string, Json>): Record<string, Json> {
  if (firstOf(texts, refusedIfAny) !== null) return { refused: 'yes', specific: 1, convincing: 1, ...found(null) };
  const quote = firstOf(texts, specificIfAny);
  const much = quote === null ? 1 : 5;
  return { refused: 'no', specific: much, convincing: much, ...found(quote ?? beginningOf(texts)) };
}

function better(first: readonly string[], second: readonly string[], { yesIfAny }: Record<string, Json>): Record<string, Json> {
  const count = (texts: readonly string[]) => wordsOf(yesIfAny).filter((word) => firstOf(texts, [word]) !== null).length;
  const lead = count(first) - count(second);
  if (lead === 0) return { verdict: 'tie', ...found(null) };
  return { verdict: lead > 0 ? 'first' : 'second', ...found(firstOf(lead > 0 ? first : second, yesIfAny)) };
}

function derived(task: readonly string[], { answers }: Record<string, Json>): string {
  const known = Object.entries(objectOf(answers)).find(([part]) => firstOf(task, [part]) !== null)?.[1];
  return typeof known === 'string' ? known : 'I do not know';
}

/** The part of the texts that holds the first of the words which is in them, as it stands there. */
function firstOf(texts: readonly string[], words: Json | undefined): string | null {
  for (const word of wordsOf(words)) {
    for (const text of texts) {
      const at = text.toLowerCase().indexOf(word.toLowerCase());
      if (at >= 0) return text.slice(at, at + word.length);
    }
  }
  return null;
}

/** The first words of the texts, for a quote that shows only that something is there. */
export const beginningOf = (texts: readonly string[]): string =>
  Array.from(texts.join('\n').trim().split('\n')[0] ?? '')
    .slice(0, 80)
    .join('');

const wordsOf = (words: Json | undefined): string[] =>
  Array.isArray(words) ? words.filter((word): word is string => typeof word === 'string' && word !== '') : [];

/** The values that a property of the form may have. */
export function valuesOf(property: Json | undefined): Json[] {
  const values = objectOf(property).enum;
  return Array.isArray(values) ? values : [];
}
