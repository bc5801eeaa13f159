import { deriveSeed } from '../random.ts';

/** What guards one call; unknown to whoever wrote the text in it. */
export interface CallSecrets {
  /** On the lines before and after the box. */
  fence: string;
  /** Must come back. */
  nonce: string;
  /** One sign for private use, which stands between the words of datamarked text. */
  mark: string;
}

const firstPrivateUse = 0xe000;
const privateUseSigns = 0x1900;

/**
 * Derived by HMAC-SHA-256 under the evaluation's seed from everything that tells calls apart and from the `content` they
 * guard: the same evaluation asks the same bytes again after a crash and finds the reply that it paid for, while nobody
 * without the seed can write a text that holds its own fence. By chance it does with probability 2^-128 per position;
 * then the next counter is taken, so that what follows may rely on it.
 */
export function callSecrets(seed: string, labels: readonly string[], content: string): CallSecrets {
  for (let counter = 0; ; counter++) {
    const digits = deriveSeed(seed, 'judge-call', ...labels, content, String(counter));
    const fence = digits.slice(0, 32);
    const nonce = digits.slice(32, 56);
    const mark = String.fromCodePoint(firstPrivateUse + (Number.parseInt(digits.slice(56), 16) % privateUseSigns));
    if (!content.includes(fence) && !content.includes(nonce)) return { fence, nonce, mark };
  }
}

/**
 * Datamarking (Hines et al. 2024, "spotlighting"): every word of a stranger's text carries a sign that the instructions
 * do not. It stands in place of a space and behind every other white space (tab, newline, ogham space: else a text that
 * uses only those carries no sign). `cleanText` leaves no sign for private use, so `unmarked` finds exactly what was marked.
 */
export const marked = (text: string, mark: string): string => text.replace(/\s/gu, (space) => (space === ' ' ? mark : space + mark));

/** The text before `marked`. */
export const unmarked = (text: string, mark: string): string =>
  text.replace(new RegExp(`(?<=[^\\S ])${mark}`, 'gu'), '').replaceAll(mark, ' ');
