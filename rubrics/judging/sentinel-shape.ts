import { isCut, showTexts } from './shown.ts';

/** Neutral texts of ours that stand around a sentinel; which ones is drawn. They must decide no question. */
const fillers = [
  'This part is left blank.',
  'Nothing was entered at this place.',
  'No entry.',
  'This part holds no further text.',
  '(no content)',
] as const;

/**
 * A sentinel's text as one of as many texts as a real question of its batch has, at a drawn place: a judge that fails on lists
 * would else never meet one with a known verdict. The list is shorter where the text would be cut in it, since the verdict
 * is known of the whole text alone; a text that leaves no room for another stands by itself.
 */
export function amongFillers(text: string, count: number, most: number, random: () => number): string[] {
  let length = Math.min(count, 64);
  const fits = (texts: number) => !isCut(showTexts([text, ...Array.from({ length: texts - 1 }, () => '')], most));
  while (length > 1 && !fits(length)) length = Math.floor(length / 2);
  const list: string[] = Array.from({ length }, () => fillers[Math.floor(random() * fillers.length)]!);
  list[Math.floor(random() * length)] = text;
  return list;
}
