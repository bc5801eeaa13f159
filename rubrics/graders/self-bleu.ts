import { countsOf, ngramsOf } from './tokens.ts';

/** NLTK's `SmoothingFunction().method1`: the numerator of an order without a match. */
const epsilon = 0.1;

/** The most and second most occurrences of an n-gram in one text, and which text has the most. */
interface Top {
  most: number;
  at: number;
  second: number;
}

/**
 * Self-BLEU of each text of a list (Y. Zhu et al., Texygen, SIGIR 2018): its BLEU-4 with all others as references.
 * As NLTK: clipped precisions of 1- to 4-grams, equal weights, smoothing method 1, the reference length closest to the
 * text's (the shorter of two as close), no common token gives 0. A text of fewer than four tokens uses the orders it
 * has (`auto_reweigh`), else short duplicates would look different; one without tokens counts as 1, no diversity.
 * Time and memory are linear in the tokens: of every n-gram only the two largest counts are kept.
 */
export function selfBleu(texts: readonly (readonly string[])[]): number[] {
  const logarithms = texts.map(() => 0);
  const hopeless = texts.map(() => false);
  for (const n of [1, 2, 3, 4]) {
    const counts = texts.map((tokens) => countsOf(ngramsOf(tokens, n)));
    const tops = topCounts(counts);
    for (const [i, { length }] of texts.entries()) {
      const orders = Math.min(4, length);
      if (n > orders) continue;
      const matched = matchedElsewhere(counts[i] ?? new Map(), i, tops);
      if (n === 1 && matched === 0) hopeless[i] = true;
      logarithms[i] = (logarithms[i] ?? 0) + Math.log((matched || epsilon) / (length - n + 1)) / orders;
    }
  }
  const brevity = brevityPenalties(texts.map(({ length }) => length));
  return texts.map((tokens, i) => {
    if (tokens.length === 0) return 1;
    return hopeless[i] ? 0 : Math.min(1, (brevity[i] ?? 1) * Math.exp(logarithms[i] ?? 0));
  });
}

/** The n-grams of text `i`, each clipped to the most any other text has of it. */
function matchedElsewhere(counts: ReadonlyMap<string, number>, i: number, tops: ReadonlyMap<string, Top>): number {
  let matched = 0;
  for (const [gram, count] of counts) {
    const top = tops.get(gram);
    if (top) matched += Math.min(count, top.at === i ? top.second : top.most);
  }
  return matched;
}

function topCounts(counts: readonly ReadonlyMap<string, number>[]): Map<string, Top> {
  const tops = new Map<string, Top>();
  for (const [at, own] of counts.entries()) {
    for (const [gram, count] of own) {
      const top = tops.get(gram);
      if (!top) tops.set(gram, { most: count, at, second: 0 });
      else if (count > top.most) Object.assign(top, { most: count, at, second: top.most });
      else top.second = Math.max(top.second, count);
    }
  }
  return tops;
}

/** exp(1 - r/h) where the text is not longer than the closest other one. */
function brevityPenalties(lengths: readonly number[]): number[] {
  return lengths.map((own, i) => {
    let closest = Number.POSITIVE_INFINITY;
    for (const [j, other] of lengths.entries()) {
      if (j === i) continue;
      const [d, best] = [Math.abs(other - own), Math.abs(closest - own)];
      if (d < best || (d === best && other < closest)) closest = other;
    }
    return own > closest ? 1 : Math.exp(1 - closest / own);
  });
}
