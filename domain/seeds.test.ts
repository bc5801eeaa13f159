import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { evaluationSeed, seedCommitment } from './seeds.ts';

const installation = (key: string) => ({ sub: (label: string) => createHash('sha256').update(`${key} ${label}`).digest('hex') });

it('gives every evaluation of every installation a seed of its own, always the same', () => {
  const seeds = ['a', 'b'].flatMap((key) => ['1', '2'].map((id) => evaluationSeed(installation(key), id)));
  expect(new Set(seeds).size).toBe(4);
  expect(evaluationSeed(installation('a'), '1')).toBe(seeds[0]);
});

it('commits to the 32 bytes of the seed', () => {
  // SHA-256 of 32 zero bytes.
  expect(seedCommitment('0'.repeat(64))).toBe('66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925');
});
