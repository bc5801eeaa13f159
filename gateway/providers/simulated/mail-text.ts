/** Sentences, also where one ends with a line or a quotation mark. */
export const sentencesOf = (text: string): string[] =>
  text
    .split(/(?<=[.!?]["'”]?)\s+|\n+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');

const common = new Set(
  'about after again also been before being could does from have into that their them then there these they this what when where which will with would your'.split(
    ' ',
  ),
);

/** Words of four letters or more that carry a topic, cut to six letters, so that "scheduled" meets "schedule". */
export const contentWords = (text: string): Set<string> =>
  new Set((text.toLowerCase().match(/\p{L}{4,}/gu) ?? []).filter((word) => !common.has(word)).map((word) => word.slice(0, 6)));

/** How many topic words two texts share. */
export const shared = (a: ReadonlySet<string>, b: ReadonlySet<string>): number => a.intersection(b).size;
