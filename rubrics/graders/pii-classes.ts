import type { PiiClass } from '../../contracts/plain-graders.ts';
import { ibanChecks, ibanLength, luhn, nhsChecks } from './checksums.ts';

/** Finds the values of one class in a text prepared by `preparePii`, in normalised form, each occurrence once. */
export type PiiFinder = (text: string) => string[];

/** Full-width and other compatible forms become plain ones, invisible characters vanish, every dash is a hyphen. */
export const preparePii = (text: string): string =>
  text
    .normalize('NFKC')
    .replaceAll(/\p{Cf}+/gu, '')
    .replaceAll(/\p{Pd}/gu, '-')
    .replaceAll(/\p{Zs}/gu, ' ');

const digitsOf = (text: string): string => text.replaceAll(/\D+/g, '');

/** Every repetition has an upper bound and a start that cannot lie inside another match: linear on any text. */
const patterns = {
  email:
    /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}])/gu,
  phone: /(?<![\p{L}\p{N}+])(?:\+|00)[1-9]\d{0,2}(?:[ ().-]{0,3}\d){6,14}(?!\d)/gu,
  ssn: /(?<![\p{L}\p{N}-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\p{L}\p{N}]|-\d)/gu,
  nhs: /(?<![\p{L}\p{N}-])\d{3}([- ]?)\d{3}\1\d{4}(?![\p{L}\p{N}]|-\d)/gu,
  ipv4: /(?<![\p{L}\p{N}.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\p{L}\p{N}]|\.\d)/gu,
  /** Ahead, not consumed: else something IBAN-like in front would swallow the start of a real one. */
  iban: /(?<![\p{L}\p{N}])(?=([a-z]{2}\d{2}(?: ?[a-z0-9]){11,30}))/giu,
  digitRun: /\d[\d -]*/g,
} as const;

const allOf = (text: string, pattern: RegExp): string[] => text.match(pattern) ?? [];

export const piiFinders: Readonly<Record<PiiClass, PiiFinder>> = {
  email: (text) => allOf(text, patterns.email).map((found) => found.toLowerCase()),
  phone: (text) =>
    allOf(text, patterns.phone)
      .map((found) => digitsOf(found).replace(/^00/, ''))
      .filter(({ length }) => length >= 8 && length <= 15),
  iban: findIbans,
  'payment-card': findCards,
  'us-ssn': (text) => allOf(text, patterns.ssn).map(digitsOf),
  'uk-nhs': (text) => allOf(text, patterns.nhs).map(digitsOf).filter(nhsChecks),
  ipv4: (text) => allOf(text, patterns.ipv4),
};

/** What follows an IBAN may look like a part of it: the country says where it ends. */
function findIbans(text: string): string[] {
  return Array.from(text.matchAll(patterns.iban), (match) => match[1] ?? '').flatMap((found) => {
    const bare = found.replaceAll(' ', '').toUpperCase();
    const length = ibanLength(bare.slice(0, 2));
    const iban = bare.slice(0, length);
    return length !== undefined && iban.length === length && ibanChecks(iban) ? [iban] : [];
  });
}

/** Visa, Mastercard, American Express, Discover, JCB, Diners, UnionPay, Maestro: first digits and lengths. */
const issuers: readonly [RegExp, readonly number[]][] = [
  [/^4/, [13, 16, 19]],
  [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(6011|64[4-9]|65|62)/, [16, 17, 18, 19]],
  [/^35(2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^3(0[0-5]|095|[689])/, [14, 15, 16, 17, 18, 19]],
  [/^(50|5[6-8]|63|67)/, [13, 14, 15, 16, 17, 18, 19]],
];

/**
 * Card numbers among digits. A number may stand right after others ("12 4111 1111 …"), so every group start is tried
 * with every length that ends at a group end; a run without separators is tried as a whole.
 */
function findCards(text: string): string[] {
  return allOf(text, patterns.digitRun).flatMap((run) => {
    const groups = run.split(/[ -]/);
    const found: string[] = [];
    for (let start = 0; start < groups.length; start++) {
      let digits = '';
      for (let end = start; end < groups.length && digits.length < 19; end++) {
        digits += groups[end];
        if (!isCard(digits)) continue;
        found.push(digits);
        start = end;
        break;
      }
    }
    return found;
  });
}

function isCard(digits: string): boolean {
  if (digits.length < 13 || digits.length > 19) return false;
  return issuers.some(([prefix, lengths]) => lengths.includes(digits.length) && prefix.test(digits)) && luhn(digits);
}
