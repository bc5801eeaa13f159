import { expect, it } from 'vitest';
import { readArtifacts } from './read-artifacts.ts';

const caps = { files: 3, bytes: 20, depth: 1 };
const base64 = (text: string) => Buffer.from(text).toString('base64');
const of = (files: [string, string][], leftOut = 0) =>
  readArtifacts(JSON.stringify({ files: files.map(([path, text]) => [path, base64(text)]), leftOut }), caps);

it('keeps what fits, byte for byte', () => {
  const { artifacts, leftOut } = of([
    ['a.txt', 'hello'],
    ['sub/b.bin', '\0\xff'],
  ]);
  expect(artifacts.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()])).toEqual([
    ['a.txt', 'hello'],
    ['sub/b.bin', '\0\xff'],
  ]);
  expect(leftOut).toBe(0);
});

it.each([
  [
    'too many files',
    [
      ['a', ''],
      ['b', ''],
      ['c', ''],
      ['d', ''],
    ],
    3,
    1,
  ],
  [
    'too many bytes',
    [
      ['a', 'x'.repeat(15)],
      ['b', 'x'.repeat(6)],
      ['c', 'x'.repeat(5)],
    ],
    2,
    1,
  ],
  [
    'a name twice',
    [
      ['a', '1'],
      ['a', '2'],
    ],
    1,
    1,
  ],
  [
    'names that lead elsewhere',
    [
      ['../a', ''],
      ['/a', ''],
      ['b/../../a', ''],
    ],
    0,
    3,
  ],
  [
    'empty and dotted segments',
    [
      ['a//b', ''],
      ['.', ''],
      ['a/', ''],
    ],
    0,
    3,
  ],
  [
    'names that mean something else elsewhere',
    [
      ['C:\\a', ''],
      ['a\\b', ''],
      ['a:b', ''],
    ],
    0,
    3,
  ],
  [
    'names that show as something else',
    [
      ['a\u202egnp.exe', ''],
      ['a\nb', ''],
      ['a\u0000b', ''],
    ],
    0,
    3,
  ],
  ['folders too deep', [['a/b/c', '']], 0, 1],
  ['a path too long', [[`${'a'.repeat(150)}/${'b'.repeat(60)}`, '']], 0, 1],
] as [string, [string, string][], number, number][])('leaves out %s, and counts them', (_what, files, kept, left) => {
  const { artifacts, leftOut } = of(files);
  expect([artifacts.length, leftOut]).toEqual([kept, left]);
});

it('takes text of another form for nothing', () => {
  for (const text of ['', 'null', '[]', '{"files":[["a"]],"leftOut":0}', '{"files":{},"leftOut":0}', `[${'['.repeat(1000)}`]) {
    expect(readArtifacts(text, caps)).toEqual({ artifacts: [], leftOut: 1 });
  }
  expect(readArtifacts(null, caps)).toEqual({ artifacts: [], leftOut: 0 });
});
