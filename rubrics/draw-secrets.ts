import { createHmac } from 'node:crypto';
import type { SecretSpec } from '../contracts/rubric.ts';
import { deriveSeed } from './random.ts';

const digits = '0123456789';
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const alphabets: Readonly<Record<SecretSpec['alphabet'], string>> = { digits, letters, alphanumeric: letters + digits };

/**
 * The secrets of one case and trial, drawn from the evaluation's seed by HMAC-SHA256 in counter mode. A secret `per:
 * evaluation` is the same in every case and trial. Without the seed nothing about a secret can be learned from others.
 */
export function drawSecrets(specs: readonly SecretSpec[], seed: string, caseId: string, trial: number): Record<string, string> {
  const drawn = specs.map((spec): [string, string] => {
    const scope = spec.per === 'case' ? ['case', caseId, String(trial)] : ['evaluation'];
    return [spec.name, drawText(deriveSeed(seed, 'secret', spec.name, ...scope), alphabets[spec.alphabet], spec.length)];
  });
  return Object.fromEntries(drawn);
}

/** Bytes at or above the largest multiple of the alphabet's size are dropped: a plain remainder would favour its first characters. */
function drawText(key: string, alphabet: string, length: number): string {
  const limit = 256 - (256 % alphabet.length);
  let text = '';
  for (let block = 0; text.length < length; block++) {
    for (const byte of createHmac('sha256', key).update(String(block)).digest()) {
      if (byte < limit && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}
