import { expect, it } from 'vitest';
import { z } from 'zod';
import { decodeCursor, encodeCursor, toPage } from './cursors.ts';

const Key = z.object({ score: z.number(), id: z.string() });

it('gives a sort key back exactly', () => {
  for (const score of [0.1 + 0.2, -1e-300, 2 ** 53, 0])
    expect(decodeCursor(Key, encodeCursor({ score, id: 'é"' }))).toEqual({ score, id: 'é"' });
  expect(decodeCursor(Key, undefined)).toBeNull();
});

it('refuses what it did not make', () => {
  const b64 = (text: string) => Buffer.from(text).toString('base64url');
  const bad = [
    '',
    'x',
    b64('null'),
    b64('{"score":"1","id":"a"}'),
    b64('[[[[]]]]'),
    b64('{"score":1}'),
    b64('{"__proto__":{},"score":1,"id":"a"}'),
    b64(' '.repeat(600)),
  ];
  for (const cursor of bad) expect(decodeCursor(Key, cursor)).toBeUndefined();
});

it('points at the last row it kept, and nowhere when there is no more', () => {
  const page = toPage(
    [1, 2, 3],
    2,
    (n) => n * 10,
    (n) => ({ score: n, id: 'a' }),
  );
  expect(page.items).toEqual([10, 20]);
  expect(decodeCursor(Key, page.nextCursor ?? undefined)).toEqual({ score: 2, id: 'a' });
  expect(
    toPage(
      [1, 2],
      2,
      (n) => n,
      () => ({}),
    ).nextCursor,
  ).toBeNull();
  expect(
    toPage(
      [],
      2,
      (n) => n,
      () => ({}),
    ).nextCursor,
  ).toBeNull();
});
