import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FolderBlobs, folderBlobs } from './folder.ts';

let folder: string;
let blobs: FolderBlobs;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'collective-blobs-'));
  blobs = folderBlobs(folder, { maxBytes: 100_000 });
});
afterEach(() => rm(folder, { recursive: true }));

const fileOf = (hash: string) => path.join(folder, hash.slice(0, 2), hash.slice(2, 4), hash);

it('gives back any bytes under their SHA-256', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (bytes) => {
      const hash = await blobs.put(bytes);
      expect(hash).toBe(createHash('sha256').update(bytes).digest('hex'));
      expect(Buffer.from((await blobs.get(hash))!).equals(bytes)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

it('stores the same bytes once, from twenty writers at the same time, and leaves no draft', async () => {
  const bytes = Buffer.alloc(50_000, 'x');
  const hashes = await Promise.all(Array.from({ length: 20 }, () => blobs.put(bytes)));
  expect(new Set(hashes).size).toBe(1);
  expect(await readdir(path.dirname(fileOf(hashes[0]!)))).toEqual([hashes[0]]);
});

it('knows nothing of a hash that was never stored, and refuses what is no hash', async () => {
  expect(await blobs.get('0'.repeat(64))).toBeNull();
  for (const bad of ['../../../../etc/passwd', '', 'A'.repeat(64), `${'0'.repeat(63)}/`]) await expect(blobs.get(bad)).rejects.toThrow();
});

it.each([
  ['changed', (file: string) => writeFile(file, 'other')],
  ['cut', (file: string) => truncate(file, 3)],
  ['grown beyond the limit', (file: string) => writeFile(file, Buffer.alloc(100_001))],
])('notices bytes that were %s on disk, and a new put repairs them', async (_, damage) => {
  const hash = await blobs.put(Buffer.from('content'));
  await damage(fileOf(hash));
  await expect(blobs.get(hash)).rejects.toThrow(`blob ${hash} is damaged`);
  await blobs.put(Buffer.from('content'));
  expect(Buffer.from((await blobs.get(hash))!).toString()).toBe('content');
});

it('refuses a blob above the limit and stores nothing of it', async () => {
  await blobs.put(Buffer.alloc(100_000));
  await expect(blobs.put(Buffer.alloc(100_001))).rejects.toThrow(RangeError);
  expect(await readdir(folder)).toHaveLength(1);
});
