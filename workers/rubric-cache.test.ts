import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Blobs } from '../domain/blobs/blobs.ts';
import { wordFiles } from '../test/setup/evaluation.ts';
import { memoryBlobs, sha256 } from '../test/setup/records.ts';
import { publishFiles } from '../test/setup/stages.ts';
import { type TestDatabase, testDatabase } from '../test/setup/with-database.ts';
import { rubricCache } from './rubric-cache.ts';

let database: TestDatabase;
const blobs = memoryBlobs();
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** Blobs that count what is read, and have `missing` or not. */
function counting(): Blobs & { reads: number; missing: boolean } {
  const state = {
    ...blobs,
    reads: 0,
    missing: false,
    get: async (hash: string) => {
      state.reads++;
      return state.missing ? null : blobs.get(hash);
    },
  };
  return state;
}

it('loads a published version once, the same object for all who ask', async () => {
  const rubric = await publishFiles(database.db, blobs, wordFiles());
  const kept = counting();
  const cache = rubricCache(database.db, kept);
  const [one, two] = await Promise.all([cache.get(rubric.hash), cache.get(rubric.hash)]);
  expect(one).toBe(two);
  expect(one.hash).toBe(rubric.hash);
  expect(one.cases).toEqual(rubric.cases);
  expect(one.text('README.md')).toBe('# Say the word\n');
  expect(kept.reads).toBe(4);
});

it('a missing blob and an unknown version are errors that are not remembered', async () => {
  const rubric = await publishFiles(database.db, blobs, wordFiles({ title: 'Missing blob' }));
  const kept = counting();
  kept.missing = true;
  const cache = rubricCache(database.db, kept);
  await expect(cache.get(rubric.hash)).rejects.toThrow('is missing');
  kept.missing = false;
  expect((await cache.get(rubric.hash)).hash).toBe(rubric.hash);
  await expect(cache.get(sha256('no such rubric'))).rejects.toThrow('no published rubric');
});

it('keeps what is asked for and forgets what was not asked for the longest', async () => {
  const versions = [];
  for (let i = 0; i < 17; i++) versions.push(await publishFiles(database.db, blobs, wordFiles({ title: `Version ${i}` })));
  const kept = counting();
  const cache = rubricCache(database.db, kept);
  const [first, second, ...rest] = versions.map((one) => one.hash);
  for (const hash of [first, second, ...rest.slice(0, 14), first, rest[14]]) await cache.get(hash ?? '');
  const before = kept.reads;
  await cache.get(first ?? '');
  expect(kept.reads).toBe(before);
  await cache.get(second ?? '');
  expect(kept.reads).toBe(before + 4);
});
