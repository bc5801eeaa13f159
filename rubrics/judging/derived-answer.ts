import type { Json } from '../../contracts/json.ts';
import { asText } from '../graders/sources.ts';
import { cleanText } from './shown.ts';

/**
 * Is the answer that a judge derived the one that the case knows? Compared after cleaning, trimming, lower case and single
 * spaces; texts that are both plain decimal numbers by value. Of several expected ones any will do.
 */
export function isSameAnswer(derived: string, expected: Json): boolean {
  const accepted = (Array.isArray(expected) ? expected.flatMap(asText) : asText(expected)).map(normalised);
  const given = normalised(derived);
  return accepted.some((one) => one === given || (isNumber(one) && isNumber(given) && Number(one) === Number(given)));
}

const normalised = (text: string): string => cleanText(text).toLowerCase().replace(/\s+/gu, ' ').trim();

const isNumber = (text: string): boolean => /^[+-]?\d{1,15}(\.\d{1,15})?$/.test(text);
