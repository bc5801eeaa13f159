import fc from 'fast-check';
import { expect, it } from 'vitest';
import { drawSecrets } from './draw-secrets.ts';
import { deriveSeed, seededRandom } from './random.ts';

it('derives 64 hexadecimal digits that depend on the seed and on where labels end', () => {
  expect(deriveSeed('s', 'a', 'b')).toMatch(/^[0-9a-f]{64}$/);
  const all = [deriveSeed('s', 'a', 'b'), deriveSeed('s', 'ab'), deriveSeed('s', 'b', 'a'), deriveSeed('t', 'a', 'b'), deriveSeed('s')];
  expect(new Set(all).size).toBe(all.length);
  expect(deriveSeed('s', 'a', 'b')).toBe(deriveSeed('s', 'a', 'b'));
});

it('gives the same evenly spread numbers for the same seed', () => {
  const one = seededRandom('x');
  const two = seededRandom('x');
  const buckets = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const value = one();
    expect(two()).toBe(value);
    buckets[Math.floor(value * 10)]! += 1;
  }
  // 100,000 draws in ten buckets: five standard deviations are 474.
  for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(474);
  expect(seededRandom('y')()).not.toBe(seededRandom('x')());
});

it('draws secrets of the asked alphabet and length, anew for each case and trial or once per evaluation', () => {
  const specs = [
    { name: 'pin', alphabet: 'digits' as const, length: 6, per: 'evaluation' as const },
    { name: 'word', alphabet: 'alphanumeric' as const, length: 12, per: 'case' as const },
  ];
  const first = drawSecrets(specs, 'seed', 'case-1', 0);
  expect(first.pin).toMatch(/^\d{6}$/);
  expect(first.word).toMatch(/^[A-Za-z0-9]{12}$/);
  expect(drawSecrets(specs, 'seed', 'case-1', 0)).toEqual(first);
  for (const other of [drawSecrets(specs, 'seed', 'case-2', 0), drawSecrets(specs, 'seed', 'case-1', 1)]) {
    expect(other.pin).toBe(first.pin);
    expect(other.word).not.toBe(first.word);
  }
  expect(drawSecrets(specs, 'other seed', 'case-1', 0).pin).not.toBe(first.pin);
});

it('favours no character: 62 does not divide 256', () => {
  const spec = [{ name: 'w', alphabet: 'alphanumeric' as const, length: 64, per: 'case' as const }];
  const counts = new Map<string, number>();
  for (let i = 0; i < 500; i++) for (const c of drawSecrets(spec, 'seed', `c${i}`, 0).w ?? '') counts.set(c, (counts.get(c) ?? 0) + 1);
  expect(counts.size).toBe(62);
  // 32,000 characters, 516 of each expected, standard deviation 22.5; a plain remainder gives the first eight 625.
  for (const count of counts.values()) expect(Math.abs(count - 516)).toBeLessThan(100);
});

it('never draws a text of another length', () => {
  fc.assert(
    fc.property(fc.integer({ min: 6, max: 64 }), fc.string(), (length, seed) => {
      expect(drawSecrets([{ name: 's', alphabet: 'letters', length, per: 'case' }], seed, 'c', 0).s).toHaveLength(length);
    }),
    { numRuns: 50 },
  );
});
