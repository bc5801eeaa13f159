import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CaseDetail } from '../../contracts/api.ts';
import type { ArtifactRecord } from '../../contracts/evaluation.ts';
import { failAttempt } from '../../domain/attempts.ts';
import { finish } from '../../domain/finishing.ts';
import { recordCases } from '../../domain/recording.ts';
import { type Api, problemOf, startApi } from '../setup/api.ts';
import { fault, publish, resultHash, resultOf, submit, toRunning, toVerifying, usage, verdictOf } from '../setup/records.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await publish(api.deps.db, api.deps.blobs);
});
afterAll(() => api[Symbol.asyncDispose]());

const page = '<!doctype html><script>alert(document.cookie)</script>';
const get = (url: string) => api.app.inject({ method: 'GET', url });

async function keep(path: string, content: string | Uint8Array = page): Promise<ArtifactRecord> {
  const bytes = Buffer.from(content);
  const sha256 = await api.deps.blobs.put(bytes);
  expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  return { path, sha256, bytes: bytes.length };
}

async function judged(results: ReturnType<typeof resultOf>[], phase = 'final'): Promise<string> {
  const { db, blobs } = api.deps;
  const { evaluationId } = await submit(db, blobs, { phase });
  const lease = await toRunning(db, evaluationId);
  expect(await recordCases(db, lease, results)).toBe(true);
  await finish(db, await toVerifying(db, lease), { verdict: verdictOf(1), resultHash, usage, simulated: true });
  return evaluationId;
}
const at = (id: string, index: number | string, caseId = 'p0', trial = 0) =>
  `/api/evaluations/${id}/cases/${caseId}/${trial}/artifacts/${index}`;

describe('what a public case left behind', () => {
  it('is listed with the case and comes as a download that no browser shows', async () => {
    const records = [await keep('a/report.html'), await keep('raw.bin', Buffer.from([0, 255, 10]))];
    const id = await judged([resultOf('p0', { artifacts: records }), resultOf('p1')]);
    const detail = CaseDetail.parse((await get(`/api/evaluations/${id}/cases/p0/0`)).json());
    expect(detail.case.artifacts).toEqual(records);
    const reply = await get(at(id, 0));
    expect([reply.statusCode, reply.body]).toEqual([200, page]);
    expect(reply.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment; filename="report.html"',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    expect((await get(at(id, 1))).rawPayload).toEqual(Buffer.from([0, 255, 10]));
  });

  it.each([
    ['a name with a quote and a line', '"; filename="evil.exe', '___filename__evil.exe'],
    ['a hidden one', '.bashrc', 'bashrc'],
    ['one that is an option', '--rm -rf', 'rm_-rf'],
    ['nothing but dots', '...', 'artifact'],
    ['a long one', `${'n'.repeat(150)}.txt`, `${'n'.repeat(96)}.txt`],
    ['a folder’s', 'deep/in/side.txt', 'side.txt'],
  ])('%s is downloaded under a harmless name', async (_, path, name) => {
    const id = await judged([resultOf('p0', { artifacts: [await keep(path)] })]);
    expect((await get(at(id, 0))).headers['content-disposition']).toBe(`attachment; filename="${name}"`);
  });

  it('404: another place, trial or case, and hidden cases exactly like those that do not exist', async () => {
    const record = await keep('a.txt', 'the hidden word');
    const id = await judged([resultOf('p0', { artifacts: [record] }), resultOf('h0', { artifacts: [record] })]);
    const replies = await Promise.all([at(id, 0, 'h0'), at(id, 0, 'h9'), at(id, 1), at(id, 0, 'p0', 1), at(id, 0, 'p3')].map(get));
    const problems = replies.map((reply) => ({ ...problemOf(reply, 404, 'not_found'), instance: '' }));
    for (const problem of problems) expect(problem).toEqual(problems[0]);
    for (const reply of replies) expect(reply.body).not.toContain('hidden word');
    expect((await get(`/api/evaluations/${id}/cases`)).body).not.toContain('h0');
  });

  it('404: of an evaluation that is an error, which shows nothing', async () => {
    const { db, blobs } = api.deps;
    const { evaluationId } = await submit(db, blobs, { phase: 'final' });
    const lease = await toRunning(db, evaluationId);
    await recordCases(db, lease, [resultOf('p0', { artifacts: [await keep('a.txt')] })]);
    expect((await get(at(evaluationId, 0))).statusCode).toBe(200);
    const verifying = await toVerifying(db, lease);
    await finish(db, verifying, {
      verdict: verdictOf(0, null, { outcome: 'error', reason: fault, score: null }),
      resultHash: null,
      usage,
      simulated: true,
    });
    problemOf(await get(at(evaluationId, 0)), 404, 'not_found');
    expect(await failAttempt(db, verifying, fault)).toBe('lost');
  });

  it('400: places that cannot be', async () => {
    const id = await judged([resultOf('p0')]);
    for (const index of ['-1', 'x', '64', '1.5', '../../session'])
      expect((await get(at(id, index))).statusCode).toBeGreaterThanOrEqual(400);
    problemOf(await get(at(id, 'x')), 400, 'bad_request');
  });
});
