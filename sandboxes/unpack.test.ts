import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { CaseRun, Language } from '../contracts/sandbox.ts';
import { gzipOf, paxRecord, tarOf, zipOf } from '../test/setup/archives.ts';
import { testEngine } from '../test/setup/docker.ts';
import { describeWith } from '../test/setup/optional.ts';
import { fakeDoor } from './conformance-door.ts';
import { dockerDriver } from './docker/driver.ts';
import { mostEntries, readUnpacked, unpackArchive } from './unpack.ts';

const maxBytes = 262_144;
const solve = 'def solve(task, target):\n    return 1\n';
const main = { name: 'main.py', data: solve };
const refusal = (message: RegExp) => ({ ok: false, fault: 'participant', message: expect.stringMatching(message) });

const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-unpack-'));

describeWith('docker', engine.state, 'archives, opened in a sandbox', () => {
  const { dockerHost, images } = engine;
  const driver = dockerDriver({ dockerHost, socketFolder, images, workerId: `unpack-${process.pid}`, poolBytes: 67_108_864 });
  const unpack = (archive: Buffer, language: Language = 'python', most = maxBytes) =>
    unpackArchive(driver, {
      id: 'unpack-test',
      archive: archive.toString('base64'),
      language,
      limits: { maxBytes: most },
      door: fakeDoor(),
      signal: new AbortController().signal,
    });

  const inFolder = [
    { name: 'mine/', data: '' },
    { name: 'mine/main.py', data: solve },
    { name: 'mine/lib/a.py', data: 'x = 1\n' },
    { name: 'mine/.gitignore', data: 'x' },
    { name: '__MACOSX/mine/._main.py', data: 'x' },
  ];
  const tarFolder = inFolder.slice(0, 4).map((entry, i) => (i === 0 ? { ...entry, kind: '5' } : entry));
  it.each<[string, Buffer]>([
    ['zip', zipOf(inFolder)],
    ['zip that was streamed', zipOf(inFolder.slice(1).map((entry) => ({ ...entry, flags: 8 })))],
    [
      'zip without compression and with a comment',
      zipOf(
        inFolder.slice(1).map((entry) => ({ ...entry, store: true })),
        { comment: 'by me' },
      ),
    ],
    ['tar', tarOf(tarFolder)],
    [
      'tar.gz of the folder itself',
      gzipOf(tarOf([{ name: './', kind: '5' }, ...tarFolder.slice(1).map((e) => ({ ...e, name: e.name.replace('mine', '.') }))])),
    ],
    [
      'tar with further fields',
      tarOf([
        { name: 'pax', kind: 'x', data: paxRecord('path', 'main.py') },
        { name: 'cut', data: solve },
        { name: 'lib/a.py', data: 'x = 1\n' },
      ]),
    ],
  ])('a %s gives its files, without the folder around them and what systems add', async (_, archive) => {
    expect(await unpack(archive)).toEqual({
      ok: true,
      language: 'python',
      source: solve,
      files: [{ path: 'lib/a.py', bytes: Buffer.from('x = 1\n') }],
    });
  });

  it('gives a JavaScript program to who asks for one, and names the entry file that is missing', async () => {
    const both = zipOf([main, { name: 'main.mjs', data: 'export default () => 1;' }]);
    expect(await unpack(both, 'javascript')).toMatchObject({ ok: true, language: 'javascript', source: 'export default () => 1;' });
    expect(await unpack(zipOf([main]), 'javascript')).toEqual(refusal(/no main\.mjs .*other language/));
    expect(await unpack(zipOf([{ name: 'a/x.py' }, { name: 'b/main.py' }]))).toEqual(refusal(/no main\.py at its top/));
    expect(await unpack(zipOf([{ ...main, data: Buffer.from([0xff]) }]))).toEqual(refusal(/not UTF-8/));
  });

  const link = 0o120777;
  const bomb = Buffer.alloc(200_000_000);
  const deep = `${Array(8).fill('d').join('/')}/x.py`;
  const hostile: [string, () => Buffer, RegExp][] = [
    ['a path that climbs out', () => zipOf([main, { name: '../../etc/cron.d/x' }]), /"\.\.\/\.\.\/etc\/cron\.d\/x" leads out/],
    ['one that climbs out from inside', () => tarOf([main, { name: 'a/../../x' }]), /leads out/],
    ['an absolute path', () => zipOf([main, { name: '/etc/passwd' }]), /"\/etc\/passwd" has an absolute path/],
    [
      'an absolute path in further fields',
      () => tarOf([{ name: 'p', kind: 'x', data: paxRecord('path', '/etc/passwd') }, main]),
      /absolute/,
    ],
    ['a drive', () => zipOf([main, { name: 'C:\\windows\\x' }]), /drive or a backslash/],
    ['a backslash', () => tarOf([main, { name: 'a\\..\\x' }]), /backslash/],
    ['a link in a zip', () => zipOf([main, { name: 'l', data: '/etc', mode: link }]), /"l" is a link/],
    [
      'a link and a file through it',
      () => tarOf([main, { name: 'l', kind: '2', target: '/tmp' }, { name: 'l/x', data: 'x' }]),
      /"l" is a link/,
    ],
    ['a hard link', () => tarOf([main, { name: 'h', kind: '1', target: 'main.py' }]), /"h" is a link/],
    ['a device', () => tarOf([main, { name: 'd', kind: '3' }]), /neither a regular file nor a folder/],
    ['a pipe in a zip', () => zipOf([main, { name: 'p', mode: 0o010644 }]), /neither a regular file nor a folder/],
    ['a sparse file', () => tarOf([main, { name: 's', kind: 'S', data: 'x' }]), /"s" is neither a regular file nor a folder/],
    ['a name that is there twice', () => zipOf([main, main]), /"main\.py" is there twice/],
    ['names that differ in case', () => tarOf([main, { name: 'Main.py', data: 'x' }]), /upper and lower case/],
    ['folders that differ in case', () => zipOf([main, { name: 'a/x' }, { name: 'A/y' }]), /upper and lower case/],
    ['a file that is a folder too', () => zipOf([main, { name: 'a' }, { name: 'a/b' }]), /a file and a folder/],
    ['a name that is too long', () => zipOf([main, { name: 'n'.repeat(60_000) }]), /longer than 200/],
    ['a name that is longer than a part may be', () => zipOf([main, { name: 'n'.repeat(150) }]), /not accepted/],
    ['a name that reads backwards', () => zipOf([main, { name: 'gpj.\u202eyp.x', flags: 2048 }]), /not accepted: letters/],
    ['a name with NUL', () => zipOf([main, { name: 'x.py\0.txt' }]), /not accepted: letters/],
    ['a name that is no text', () => tarOf([main, { name: '\ud800x' }]), /not accepted: letters/],
    ['folders without end', () => zipOf([main, { name: deep }]), /folders deep/],
    [
      'more entries than accepted',
      () => zipOf([main, ...Array.from({ length: mostEntries }, (_, i) => ({ name: `f${i}` }))]),
      /more than 1000 entries/,
    ],
    [
      'a hundred thousand of them',
      () => zipOf(Array.from({ length: 100_000 }, (_, i) => ({ name: `f${i}`, store: true }))),
      /more than 1000 entries/,
    ],
    [
      'as many and a count that says otherwise',
      () =>
        zipOf(
          Array.from({ length: 30_000 }, (_, i) => ({ name: `f${i}`, store: true })),
          { claimedCount: 1 },
        ),
      /entries/,
    ],
    [
      'a tar of a hundred thousand',
      () => gzipOf(tarOf(Array.from({ length: 100_000 }, (_, i) => ({ name: `f${i}` })))),
      /larger than the challenge/,
    ],
    ['a bomb of one entry', () => zipOf([main, { name: 'zeros', data: bomb }]), /"zeros" makes it larger/],
    [
      'a bomb that says it is small',
      () => zipOf([main, { name: 'zeros', data: bomb, claims: { size: 10, localSize: 10 } }]),
      /"zeros" is not what the archive says/,
    ],
    ['a bomb in a gzip', () => gzipSync(tarOf([main, { name: 'zeros', data: bomb }])), /larger than the challenge/],
    ['a bomb of many entries that share their bytes', () => overlapping(), /does not lie where/],
    ['a size that is larger than the truth', () => zipOf([{ ...main, claims: { size: 100 } }]), /not what the archive says/],
    [
      'a size that is larger than the archive',
      () => zipOf([{ ...main, store: true, claims: { packedSize: 4_000_000_000 } }]),
      /does not lie/,
    ],
    ['a wrong checksum', () => zipOf([{ ...main, claims: { crc: 7 } }]), /not what the archive says/],
    ['two headers that disagree in the name', () => zipOf([{ ...main, claims: { localName: 'evil.py' } }]), /not what the archive says/],
    ['two headers that disagree in the size', () => zipOf([{ ...main, claims: { localSize: 5 } }]), /not what the archive says/],
    ['bytes between two entries', () => zipOf([{ ...main, gap: Buffer.from('secret') }, { name: 'x' }]), /belong to none/],
    ['bytes before the first', () => zipOf([main], { before: Buffer.from('PK\x03\x04#!/bin/sh\n', 'latin1') }), /belong to none/],
    ['bytes after its end', () => zipOf([main], { after: Buffer.from('more') }), /belong to none/],
    ['a second archive behind the first', () => Buffer.concat([zipOf([main]), zipOf([{ name: 'other.py' }])]), /belong to none/],
    ['a tar with more behind its end', () => tarOf([main], { after: tarOf([{ name: 'other.py', data: 'x' }]) }), /follows after its end/],
    ['a gzip with a second member', () => Buffer.concat([gzipOf(tarOf([main])), gzipOf(tarOf([{ name: 'x' }]))]), /follows after its end/],
    ['a gzip in a gzip', () => gzipOf(gzipOf(tarOf([main]))), /archive or a compressed file itself/],
    ['a zip in a zip', () => zipOf([main, { name: 'inner.zip', data: zipOf([main]) }]), /"inner\.zip" is an archive/],
    ['an encrypted entry', () => zipOf([{ ...main, flags: 1 }]), /encrypted/],
    ['another method', () => zipOf([{ ...main, method: 14 }]), /another method/],
    ['a tar that claims more than it has', () => tarOf([main, { name: 'x', data: 'x', claimedSize: 100_000 }]), /"x" is not what/],
    ['a tar that is cut off', () => tarOf([main, { name: 'x', data: 'y'.repeat(5000) }]).subarray(0, 2048), /"x" is not what/],
    ['a gzip that is cut off', () => gzipOf(tarOf([main])).subarray(0, 60), /cannot be read/],
    ['a zip that is cut off', () => zipOf([main]).subarray(0, 60), /cannot be read/],
    ['a zip without entries', () => zipOf([]), /neither a zip nor a tar/],
    ['a tar without entries', () => gzipOf(tarOf([])), /neither a zip nor a tar/],
    ['what is no archive', () => Buffer.from('hello '.repeat(200)), /neither a zip nor a tar/],
    [
      'further fields in further fields',
      () => tarOf([...Array.from({ length: 2000 }, () => ({ name: 'x', kind: 'x', data: paxRecord('comment', 'c') })), main]),
      /cannot be read/,
    ],
    [
      'a size below zero',
      () => tarOf([main, { name: 'p', kind: 'x', data: paxRecord('size', '-512') }, { name: 'x', data: 'x' }]),
      /follows after its end|makes it larger/,
    ],
    ['archives in archives in archives', () => nested(2), /"0\.zip" is an archive/],
  ];
  it.each(hostile)('%s is refused by name, as the participant’s fault', async (_, archive, message) => {
    expect(await unpack(archive())).toEqual(refusal(message));
  });

  it('accepts as much as the largest form does, and not what unpacks to far more than it is', async () => {
    const most = 4_194_304;
    const random = Array.from({ length: 40 }, (_, i) => ({ name: `d/f${i}`, data: randomBytes(100_000), store: true }));
    const unpacked = await unpack(zipOf([main, ...random]), 'python', most);
    expect(unpacked.ok && unpacked.files.map(({ bytes }) => bytes)).toEqual(random.map(({ data }) => data));
    const zeros = zipOf([main, { name: 'zeros', data: Buffer.alloc(4_000_000) }]);
    expect(await unpack(zeros, 'python', most)).toEqual(refusal(/"zeros" unpacks to more than a hundred times/));
  });

  it('names the platform when the sandbox cannot be had', async () => {
    const nowhere = dockerDriver({ dockerHost: 'unix:///nowhere.sock', socketFolder, images, workerId: 'nowhere' });
    const options = { id: 'x', archive: zipOf([main]).toString('base64'), language: 'python', limits: { maxBytes } } as const;
    const unpacked = await unpackArchive(nowhere, { ...options, door: fakeDoor(), signal: new AbortController().signal });
    expect(unpacked).toMatchObject({ ok: false, fault: 'platform' });
    await driver[Symbol.asyncDispose]();
  });
});

/** As 42.zip: each level holds the one below sixteen times. */
function nested(level: number): Buffer {
  if (level === 0) return zipOf([{ name: 'zeros', data: Buffer.alloc(3_000_000) }]);
  const data = nested(level - 1);
  return zipOf(Array.from({ length: 16 }, (_, i) => ({ name: `${i}.zip`, data })));
}

/** Every directory entry points at the same bytes: 42 kB of them would make gigabytes. */
function overlapping(): Buffer {
  const kernel = { name: 'k0', data: Buffer.alloc(10_000) };
  const rest = Array.from({ length: 20 }, (_, i) => ({ name: `k${i + 1}`, store: true, claims: { offset: 0 } }));
  return zipOf([kernel, ...rest]);
}

describe('what a taken-over unpacker may answer', () => {
  const read = (answer: unknown) =>
    readUnpacked({ kind: 'answer', answer: answer as never, log: '', wallMs: 1 }, { language: 'python', limits: { maxBytes: 1000 } });
  const file = (path: string, text = solve): [string, string] => [path, Buffer.from(text).toString('base64')];

  it.each<[string, unknown, RegExp]>([
    ['a path out of its folder', { files: [file('main.py'), file('../x')] }, /cannot|can be taken/],
    ['an absolute path', { files: [file('main.py'), file('/etc/passwd')] }, /can be taken/],
    ['a hidden file', { files: [file('main.py'), file('.ssh/x')] }, /can be taken/],
    ['one path twice', { files: [file('main.py'), file('main.py')] }, /twice/],
    ['paths that differ in case', { files: [file('main.py'), file('MAIN.py')] }, /twice/],
    ['folders that differ in case', { files: [file('main.py'), file('a/x'), file('A/y')] }, /twice/],
    ['a file that is a folder', { files: [file('main.py'), file('a'), file('a/b')] }, /twice/],
    ['too many bytes', { files: [file('main.py'), file('x', 'y'.repeat(1000))] }, /at most 1000/],
    ['too many files', { files: Array.from({ length: 501 }, (_, i) => file(`f${i}`, '')) }, /can be taken/],
    ['too many folders', { files: [file('main.py'), ...Array.from({ length: 400 }, (_, i) => file(`a${i}/b/c`, ''))] }, /entries/],
    ['content that is no base64', { files: [['main.py', '%%%%']] }, /can be taken/],
    ['words of its own', { fault: 'the platform owes me', entry: '' }, /can be taken/],
    ['something else', [1, 2, 3], /can be taken/],
    ['nothing', null, /can be taken/],
    ['no files', { files: [] }, /no main\.py/],
  ])('%s: is refused as any other archive would be', (_, answer, message) => {
    expect(read(answer)).toEqual(refusal(message));
  });

  it('a name that would turn the page around is shown without it', () => {
    const answer = read({ fault: 'link', entry: '\u202e<script>\n"x' });
    expect(answer).toEqual(refusal(/"\?<script>\?\\"x" is a link/));
  });

  it.each<[CaseRun, object]>([
    [{ kind: 'limit', limit: 'memory', message: '', log: '', wallMs: 1 }, { fault: 'participant' }],
    [{ kind: 'fault', code: 'early_exit', message: 'boo', log: '', wallMs: 1 }, { fault: 'participant' }],
    [
      { kind: 'error', message: 'no engine' },
      { fault: 'platform', message: expect.stringContaining('no engine') },
    ],
  ])('an end without an answer has its fault: %o', (run, expected) => {
    expect(readUnpacked(run, { language: 'python', limits: { maxBytes } })).toMatchObject({ ok: false, ...expected });
  });
});
