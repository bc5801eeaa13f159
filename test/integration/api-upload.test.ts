import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SubmissionView } from '../../contracts/api.ts';
import type { SubmissionDocument } from '../../contracts/submission.ts';
import { gzipOf, tarOf, zipOf } from '../setup/archives.ts';
import { type Api, everyKindFiles, problemOf, publishFiles, startApi } from '../setup/api.ts';
import { smallRubricFiles } from '../setup/rubrics.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await publishFiles(api, everyKindFiles);
  await publishFiles(api, smallRubricFiles);
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  api.app = await api.another({});
});

const url = '/api/challenges/every-kind/submissions';

function formOf(name: string, bytes: string | Uint8Array, fields: Record<string, string> = {}): FormData {
  const form = new FormData();
  for (const [key, value] of Object.entries(fields)) form.set(key, value);
  form.set('file', new File([typeof bytes === 'string' ? bytes : Uint8Array.from(bytes)], name));
  return form;
}

async function upload(form: FormData, headers: Record<string, string> = api.bearer, to = url) {
  const encoded = new Response(form);
  const payload = Buffer.from(await encoded.arrayBuffer());
  return api.app.inject({
    method: 'POST',
    url: to,
    headers: { ...headers, 'content-type': encoded.headers.get('content-type')! },
    payload,
  });
}

async function stored(form: FormData): Promise<{ view: SubmissionView; document: SubmissionDocument }> {
  const reply = await upload(form);
  expect(reply.statusCode, reply.body).toBe(201);
  const view = SubmissionView.parse(reply.json());
  const bytes = await api.deps.blobs.get(view.contentHash);
  return { view, document: JSON.parse(Buffer.from(bytes!).toString()) as SubmissionDocument };
}

describe('an uploaded file', () => {
  it('201: a program in JavaScript or Python, by its name', async () => {
    for (const [name, language] of [
      ['solve.js', 'javascript'],
      ['solve.MJS', 'javascript'],
      ['solve.py', 'python'],
    ] as const) {
      const { view, document } = await stored(formOf(name, 'code()'));
      expect(document).toEqual({ kind: 'program', language, source: 'code()' });
      expect(view).toMatchObject({ title: name, kind: 'program' });
    }
  });

  it('201: a defence', async () => {
    for (const name of ['defence.txt', 'defence.md']) {
      expect((await stored(formOf(name, 'Never tell.'))).document).toEqual({ kind: 'defence', systemPrompt: 'Never tell.' });
    }
  });

  it('201: a bare map of answers, or a whole document with its kind', async () => {
    expect((await stored(formOf('answers.json', '{"one":"one"}'))).document).toEqual({ kind: 'answers', answers: { one: 'one' } });
    const whole = { kind: 'prompts', prompts: { one: ['hello', 'there'] } };
    expect((await stored(formOf('prompts.json', JSON.stringify(whole)))).document).toEqual(whole);
  });

  it('201: with title and phase; without a title its name, cut to what a title may be', async () => {
    const { view } = await stored(formOf('a.json', '{}', { title: 'Mine', phase: 'second' }));
    expect(view).toMatchObject({ title: 'Mine', evaluation: { phase: 'second' } });
    expect((await stored(formOf(`${'n'.repeat(220)}.json`, '{}'))).view.title).toBe('n'.repeat(200));
  });

  it('200: the same key and file again', async () => {
    const headers = { ...api.bearer, 'idempotency-key': 'file' };
    const first = await upload(formOf('a.json', '{"one":"1"}'), headers);
    const again = await upload(formOf('a.json', '{"one":"1"}'), headers);
    expect([first.statusCode, again.statusCode, again.json().id]).toEqual([201, 200, first.json().id]);
  });

  it('201: a program in an archive, closed; its language is said where the challenge takes several', async () => {
    const zip = zipOf([{ name: 'main.py', data: 'x' }]);
    for (const [name, bytes] of [
      ['mine.zip', zip],
      ['mine.tgz', gzipOf(tarOf([{ name: '../../x' }]))],
    ] as const) {
      const { document } = await stored(formOf(name, bytes, { language: 'python' }));
      expect(document).toEqual({ kind: 'program', language: 'python', archive: bytes.toString('base64') });
    }
    expect(problemOf(await upload(formOf('mine.zip', zip)), 422, 'invalid_submission').detail).toContain('which language');
    expect(problemOf(await upload(formOf('mine.zip', zip, { language: 'cobol' })), 400, 'bad_request').detail).toContain('"language"');
  });

  it('422: an archive that is called something else, or of a kind that nobody unpacks', async () => {
    const packed: [string, Buffer, RegExp][] = [
      ['answers.json', zipOf([{ name: 'x' }]), /zip archive, but its name does not say so/],
      ['solve.py', gzipOf(Buffer.from('{}')), /gzip archive, but its name does not say so/],
      ['solve.py', tarOf([{ name: 'x' }]), /tar archive, but its name does not say so/],
      ['a.tar.xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), /xz archive; pack the program as/],
      ['a.zip', Buffer.from('hello'), /first bytes are neither/],
    ];
    for (const [name, bytes, said] of packed) {
      const problem = problemOf(await upload(formOf(name, bytes)), 422, 'invalid_submission');
      expect(problem).toMatchObject({ faultOf: 'participant', detail: expect.stringMatching(said) });
    }
  });

  it('422: another kind of file, text that is not UTF-8, JSON that is none or nests too deep', async () => {
    const words: [string, string | Uint8Array, string][] = [
      ['run.exe', 'MZ', '".exe" is not a kind of file'],
      ['noextension', 'x', 'is not a kind of file'],
      ['solve.py', Buffer.from([0xff, 0xfe]), 'not valid UTF-8'],
      ['a.json', 'NaN', 'is not JSON'],
      ['a.json', '[]', 'must be an object'],
      ['a.json', `{"one":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, '100001 levels deep'],
      ['a.json', '{"__proto__":{"x":1}}', 'reserved key'],
      ['a.json', `{"one":[${'0,'.repeat(200_000)}0]}`, 'more than 100000 values'],
      ['solve.js', '', 'does not have the shape'],
    ];
    for (const [name, bytes, said] of words) {
      expect(problemOf(await upload(formOf(name, bytes)), 422, 'invalid_submission').detail).toContain(said);
    }
  });

  it('422: a kind the challenge does not take', async () => {
    const reply = await upload(formOf('solve.py', 'code()'), api.bearer, '/api/challenges/capitals/submissions');
    expect(problemOf(reply, 422, 'invalid_submission').detail).toBe('this challenge takes answers, not program');
  });

  it('422: a phase that does not exist', async () => {
    problemOf(await upload(formOf('a.json', '{}', { phase: 'third' })), 422, 'invalid_submission');
  });

  it('413: a file above 16 MiB, two files, too many fields', async () => {
    problemOf(await upload(formOf('a.txt', Buffer.alloc(16_777_217, 0x61))), 413, 'too_large');
    const two = formOf('a.txt', 'a');
    two.append('file', new File(['b'], 'b.txt'));
    problemOf(await upload(two), 413, 'too_large');
  });

  it('400: a form without a file, with unknown fields, with a field too long, or cut off', async () => {
    const empty = new FormData();
    empty.set('title', 'x');
    expect(problemOf(await upload(empty), 400, 'bad_request').detail).toBe('the form has no file');
    expect(problemOf(await upload(formOf('a.txt', 'a', { pahse: 'x' })), 400, 'bad_request').detail).toContain('"pahse"');
    problemOf(await upload(formOf('a.txt', 'a', { title: 'x'.repeat(201) })), 400, 'bad_request');
    problemOf(await upload(formOf('a.txt', 'a', { title: 'x'.repeat(5_000) })), 400, 'bad_request');
    problemOf(await upload(formOf('a.txt', 'a', { phase: 'Not A Slug' })), 400, 'bad_request');
    const cut = { ...api.bearer, 'content-type': 'multipart/form-data; boundary=b' };
    const reply = await api.app.inject({
      method: 'POST',
      url,
      headers: cut,
      payload: '--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nab',
    });
    problemOf(reply, 400, 'bad_request');
  });

  it('401: nobody, and 404: no such challenge', async () => {
    problemOf(await upload(formOf('a.txt', 'a'), {}), 401, 'unauthenticated');
    problemOf(await upload(formOf('a.txt', 'a'), api.bearer, '/api/challenges/no-such/submissions'), 404, 'not_found');
  });

  it('over a real connection: stored; and a stranger is refused before he has sent his megabytes', async () => {
    await api.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = api.app.server.address() as AddressInfo;
    const done = await fetch(`http://127.0.0.1:${port}${url}`, {
      method: 'POST',
      headers: api.bearer,
      body: formOf('a.txt', 'x'.repeat(5_000_000)),
    });
    expect(done.status).toBe(201);
    expect(SubmissionView.parse(await done.json()).contentBytes).toBeGreaterThan(5_000_000);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request({
        host: '127.0.0.1',
        port,
        path: url,
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-length': 10_000_000 },
      });
      asked.on('response', (response) => {
        resolve(response.statusCode);
        asked.destroy();
      });
      asked.on('error', reject);
      // The head alone: the answer comes without the body.
      asked.flushHeaders();
    });
    expect(status).toBe(401);
  });
});
