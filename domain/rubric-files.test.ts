import { expect, it } from 'vitest';
import { folder, memoryBlobs, rubricOf, sha256 } from '../test/setup/records.ts';
import { readableFiles, readTexts } from './rubric-files.ts';

const files = Object.entries(folder).map(([path, text]) => ({ path, bytes: text.length, sha256: sha256(text) }));
const paths = (shown: { path: string }[]) => shown.map((file) => file.path).sort();

it('gives neither hidden cases, nor copies of them, nor controls, nor recordings', () => {
  expect(paths(readableFiles(rubricOf(), files))).toEqual(['README.md', 'cases/public.jsonl', 'rubric.yaml']);
});

it('gives everything of a demonstration', () => {
  expect(paths(readableFiles(rubricOf({ demonstration: true }), files))).toEqual(Object.keys(folder).sort());
});

it('names files that are no text or too large without their content', async () => {
  const blobs = memoryBlobs();
  const put = async (path: string, bytes: Uint8Array) => ({ path, bytes: bytes.byteLength, sha256: await blobs.put(bytes) });
  const shown = await readTexts(blobs, [
    await put('a', Buffer.from('text é')),
    await put('b', Uint8Array.from([0xff, 0xfe])),
    await put('c', Buffer.alloc(1_048_577, 'x')),
  ]);
  expect(shown.map((file) => file.text)).toEqual(['text é', null, null]);
  await expect(readTexts(blobs, [{ path: 'd', bytes: 1, sha256: sha256('gone') }])).rejects.toThrow('missing');
});
