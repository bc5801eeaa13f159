import { createHash, createHmac } from 'node:crypto';

/**
 * A seed for one purpose, from the evaluation's seed: HMAC-SHA256 keyed by the seed over the labels as JSON, so that
 * no two lists of labels share a message (`['a','b']` is not `['ab']`). Returns 64 hexadecimal digits.
 */
export function deriveSeed(seed: string, ...labels: string[]): string {
  return createHmac('sha256', Buffer.from(seed, 'utf8')).update(JSON.stringify(labels)).digest('hex');
}

/**
 * A deterministic source of numbers in [0, 1) with 32 bits each, from any text. sfc32 (C. Doty-Humphrey, PractRand):
 * fast and of good statistical quality, but not secret: never draw a secret from it, `drawSecrets` does that.
 */
export function seededRandom(seed: string): () => number {
  const words = createHash('sha256').update(seed, 'utf8').digest();
  let a = words.readInt32LE(0);
  let b = words.readInt32LE(4);
  let c = words.readInt32LE(8);
  let counter = 1;
  const next = (): number => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + result;
    c |= 0;
    return (result >>> 0) / 4_294_967_296;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
}
