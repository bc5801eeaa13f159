/**
 * Length of the longest common subsequence of two lists of tokens, bit-parallel (M. Crochemore et al., Information
 * Processing Letters 80, 2001): V starts as ones; for each token of the longer list with the match mask M,
 * V ← (V + (V ∧ M)) ∨ (V ∧ ¬M); the zeros of V are the length. Time is |a| · |b| / 32, memory one mask per distinct
 * token of the shorter list that the longer one shares.
 */
export function lcsLength(a: readonly string[], b: readonly string[]): number {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (short.length === 0) return 0;
  const words = Math.ceil(short.length / 32);
  const masks = masksOf(short, new Set(long), words);
  const v = new Uint32Array(words).fill(0xffffffff);
  for (const token of long) {
    const mask = masks.get(token);
    if (mask) step(v, mask);
  }
  let zeros = 0;
  for (let i = 0; i < short.length; i++) if ((((v[i >>> 5] as number) >>> (i & 31)) & 1) === 0) zeros++;
  return zeros;
}

function masksOf(short: readonly string[], shared: ReadonlySet<string>, words: number): Map<string, Uint32Array> {
  const masks = new Map<string, Uint32Array>();
  for (const [i, token] of short.entries()) {
    if (!shared.has(token)) continue;
    const mask = masks.get(token) ?? new Uint32Array(words);
    masks.set(token, mask);
    mask[i >>> 5] = (mask[i >>> 5] as number) | (1 << (i & 31));
  }
  return masks;
}

function step(v: Uint32Array, mask: Uint32Array): void {
  let carry = 0;
  for (let w = 0; w < v.length; w++) {
    const ones = v[w] as number;
    const matched = (mask[w] as number) & ones;
    const sum = ones + (matched >>> 0) + carry;
    carry = sum > 0xffffffff ? 1 : 0;
    v[w] = (sum >>> 0) | (ones & ~(mask[w] as number));
  }
}
