import type { Json } from '../../contracts/json.ts';
import type { SubmissionDocument } from '../../contracts/submission.ts';
import { seededRandom } from '../random.ts';

/** The same submission with something said again that it said already. Null where it holds nothing of that kind. */
export type Repeat = (document: SubmissionDocument) => SubmissionDocument | null;

/**
 * Ways to repeat oneself. None adds anything that was not there, so none may add to a score. `entries`: every list in an
 * answer holds each of its entries twice; `last-message`: the last message of each conversation comes again; `text`:
 * every text that graders or targets read stands twice.
 */
export const repeats: Readonly<Record<'entries' | 'last-message' | 'text', Repeat>> = {
  entries: (document) =>
    document.kind === 'answers' ? changed(document, { ...document, answers: eachOf(document.answers, entriesTwice) }) : null,
  'last-message': (document) => {
    if (document.kind !== 'prompts') return null;
    const prompts = eachOf(document.prompts, (prompt): string[] => {
      const messages = typeof prompt === 'string' ? [prompt] : prompt;
      return [...messages, ...messages.slice(-1)];
    });
    return changed(document, { ...document, prompts });
  },
  text: (document) => {
    switch (document.kind) {
      case 'answers':
        return changed(document, { ...document, answers: eachOf(document.answers, textTwice) });
      case 'prompts':
        return changed(document, {
          ...document,
          prompts: eachOf(document.prompts, (prompt) => (typeof prompt === 'string' ? twice(prompt) : prompt.map(twice))),
        });
      case 'defence':
        return changed(document, { ...document, systemPrompt: twice(document.systemPrompt) });
      default:
        return null;
    }
  },
};

/** The same submission without half of its answers, drawn from the seed; null where it has no answers of its own per case. */
export function halfOf(document: SubmissionDocument, seed: string): SubmissionDocument | null {
  if (document.kind === 'answers') return { ...document, answers: halfOfEntries(document.answers, seed) };
  if (document.kind === 'prompts') return { ...document, prompts: halfOfEntries(document.prompts, seed) };
  return null;
}

/** The same submission with every list of its answers cut to the first half: below the maximum, where a repeat could add. */
export function shortened(document: SubmissionDocument): SubmissionDocument | null {
  if (document.kind === 'answers') return changed(document, { ...document, answers: eachOf(document.answers, listsHalved) });
  if (document.kind !== 'prompts') return null;
  const prompts = eachOf(document.prompts, (prompt) => (typeof prompt === 'string' ? prompt : firstHalf(prompt)));
  return changed(document, { ...document, prompts });
}

function halfOfEntries<T>(entries: Readonly<Record<string, T>>, seed: string): Record<string, T> {
  const random = seededRandom(seed);
  const drawn = Object.entries(entries).map((entry) => ({ entry, at: random() }));
  const kept = new Set(drawn.toSorted((a, b) => a.at - b.at).slice(0, Math.ceil(drawn.length / 2)));
  return Object.fromEntries(drawn.flatMap((one) => (kept.has(one) ? [one.entry] : [])));
}

const eachOf = <T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));

const changed = (before: SubmissionDocument, after: SubmissionDocument): SubmissionDocument | null =>
  JSON.stringify(before) === JSON.stringify(after) ? null : after;

/** Lists of texts and other values inside, at every depth. */
function inside(value: Json, change: (value: Json) => Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(change);
  return eachOf(value, change);
}

const entriesTwice = (value: Json): Json =>
  Array.isArray(value) ? value.flatMap((entry) => [entriesTwice(entry), entriesTwice(entry)]) : inside(value, entriesTwice);

const textTwice = (value: Json): Json => (typeof value === 'string' ? twice(value) : inside(value, textTwice));

const listsHalved = (value: Json): Json => (Array.isArray(value) ? firstHalf(value).map(listsHalved) : inside(value, listsHalved));

const twice = (text: string): string => (text === '' ? text : `${text} ${text}`);

const firstHalf = <T>(list: readonly T[]): T[] => list.slice(0, Math.ceil(list.length / 2));
