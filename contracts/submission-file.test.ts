import { describe, expect, it } from 'vitest';
import { gzipOf, tarOf, zipOf } from '../test/setup/archives.ts';
import { maxArchiveBytes, SubmissionDocument, type SubmissionKind } from './submission.ts';
import { readSubmissionFile } from './submission-file.ts';

const main = { name: 'main.py', data: 'def solve(task, target):\n    return 1\n' };
const [zip, tar] = [zipOf([main]), tarOf([main])];
const tgz = gzipOf(tar);
const refused = (problem: RegExp) => ({ ok: false, problem: expect.stringMatching(problem), errors: [] });

describe('an archive', () => {
  it.each<[string, Buffer]>([
    ['mine.zip', zip],
    ['mine.tar', tar],
    ['mine.tar.gz', tgz],
    ['MINE.TGZ', tgz],
  ])('%s becomes a program of several files, byte by byte', (name, bytes) => {
    expect(readSubmissionFile(name, bytes, ['program'], ['python'])).toEqual({
      ok: true,
      document: { kind: 'program', language: 'python', archive: bytes.toString('base64') },
    });
  });

  it('stays closed: what is in it does not matter here', () => {
    const hostile = zipOf([{ name: '../../etc/passwd', data: 'x' }]);
    expect(readSubmissionFile('mine.zip', hostile, ['program'], ['javascript'])).toMatchObject({ ok: true });
  });

  it('needs its language said where there are several, because nobody looks inside', () => {
    for (const languages of [[], ['javascript', 'python']] as const)
      expect(readSubmissionFile('mine.zip', zip, ['program'], languages)).toEqual(refused(/which language/));
  });

  it.each<[string, string, Uint8Array, RegExp]>([
    ['that is called something else', 'solve.py', zip, /zip archive, but its name does not say so/],
    ['of JSON that is packed', 'answers.json', gzipOf(Buffer.from('{}')), /gzip archive, but its name does not say so/],
    ['that is none', 'mine.zip', Buffer.from('hello'), /first bytes are neither/],
    ['that is empty', 'mine.tar.gz', Buffer.alloc(0), /first bytes are neither/],
    ['without entries', 'mine.zip', zipOf([]), /zip without entries/],
    ['of another kind', 'mine.zip', Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]), /7z archive; pack the program as/],
    ['in xz', 'mine.tar.xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]), /xz archive; pack the program as/],
    ['that is too large', 'mine.zip', Buffer.concat([zip, Buffer.alloc(maxArchiveBytes)]), /at most 4194304 are accepted/],
  ])('%s is refused', (_, name, bytes, problem) => {
    expect(readSubmissionFile(name, bytes, ['program'], ['python'])).toEqual(refused(problem));
  });

  it('is refused where no programs are taken', () => {
    expect(readSubmissionFile('mine.zip', zip, ['answers'], [])).toEqual(refused(/this challenge takes none/));
  });

  it('of the largest size is one document', () => {
    const read = readSubmissionFile('mine.zip', Buffer.concat([zip, Buffer.alloc(maxArchiveBytes - zip.length)]), ['program'], ['python']);
    expect(read.ok && SubmissionDocument.safeParse(read.document).success).toBe(true);
  });
});

describe('a document', () => {
  const program = { kind: 'program', language: 'python' };
  const fits = (value: unknown) => SubmissionDocument.safeParse(value).success;

  it('of a program has a source or an archive, not both and not neither', () => {
    expect(fits({ ...program, source: 'x' })).toBe(true);
    expect(fits({ ...program, archive: zip.toString('base64') })).toBe(true);
    expect(fits({ ...program, source: 'x', archive: zip.toString('base64') })).toBe(false);
    expect(fits(program)).toBe(false);
  });

  it.each(['UEsD*AAA', 'UEsDB', 'UEsDB===', ' UEsDBAA', ''])('has an archive in base64 and not %j', (archive) => {
    expect(fits({ ...program, archive })).toBe(false);
  });

  it('of an image names it by digest', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(
      readSubmissionFile('image.json', Buffer.from(JSON.stringify({ kind: 'image', image: `r.example/a/b@${digest}` })), ['image']),
    ).toEqual({
      ok: true,
      document: { kind: 'image', image: `r.example/a/b@${digest}` },
    });
    for (const image of [
      'r.example/a/b:latest',
      `a@${digest}`,
      `r.example/../b@${digest}`,
      `r.example/a b@${digest}`,
      'r.example/a@sha256:ab',
    ])
      expect(fits({ kind: 'image', image })).toBe(false);
  });
});

describe('a report from Markdown', () => {
  const read = (text: string, accepted: SubmissionKind[] = ['report']) =>
    readSubmissionFile('finding.md', new TextEncoder().encode(text), accepted);

  it('has its first line as title and one piece of evidence for each such heading', () => {
    const text =
      '\n# The keeper tells its password\n\nAsk twice.\n\n## Why\nIt forgets.\n## Evidence: Transcript\nQ\nA\n\n## Evidence: Log\nx\n';
    expect(read(text)).toEqual({
      ok: true,
      document: {
        kind: 'report',
        title: 'The keeper tells its password',
        body: 'Ask twice.\n\n## Why\nIt forgets.',
        evidence: [
          { title: 'Transcript', text: 'Q\nA' },
          { title: 'Log', text: 'x' },
        ],
      },
    });
  });

  it('says what is missing', () => {
    expect(read('# Short\n')).toMatchObject({ ok: false, errors: [{ path: 'title' }, { path: 'body' }] });
    expect(read('# A finding with a name\nText\n## Evidence:\n')).toMatchObject({
      ok: false,
      errors: [{ path: 'evidence/0/title' }, { path: 'evidence/0/text' }],
    });
  });

  it('is a system prompt where the challenge takes defences', () => {
    expect(read('Be careful.', ['defence', 'report'])).toMatchObject({ document: { kind: 'defence' } });
  });
});
