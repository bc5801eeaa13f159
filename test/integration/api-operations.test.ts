import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SystemView } from '../../contracts/api.ts';
import { publishRubric } from '../../domain/challenges.ts';
import { openDatabase } from '../../domain/db/client.ts';
import { heartbeat } from '../../domain/workers.ts';
import { sessionCookie } from '../../server/plugins/identity.ts';
import { type Api, indexHtml, problemOf, publishFiles, startApi } from '../setup/api.ts';
import { counts, rubricOf, sha256 } from '../setup/records.ts';
import { smallRubricFiles } from '../setup/rubrics.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await publishFiles(api, smallRubricFiles);
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  api.app = await api.another({});
});

const get = (url: string, headers: Record<string, string> = {}) => api.app.inject({ method: 'GET', url, headers });

/** A challenge whose stored public cases are not what they should be. */
async function publishCases(name: string, cases: object[]): Promise<void> {
  const publicCases = cases as { id: string; key: string; input: number }[];
  const rubric = rubricOf({ name });
  await publishRubric(api.deps.db, api.deps.blobs, { rubric, hash: sha256(name), readme: '', files: [], counts, publicCases, words: [] });
}

describe('GET /api/system', () => {
  it('200: version, queues, workers that are alive, first start', async () => {
    const id = randomUUID();
    const unavailable = [{ need: 'python', reason: 'no Docker engine answers', install: 'install Docker.' }];
    const finding = { check: 'engine-version', ok: false, severity: 'critical' as const, blocks: 'bounty' as const, cves: ['CVE-1'] };
    const failed = [{ ...finding, detail: 'old', why: 'holes', fix: 'Install a newer one.' }];
    const doctor = {
      checkedAt: new Date().toISOString(),
      engineVersion: '20.10',
      bountyWork: true,
      acceptedRisks: ['engine-version'],
      passed: 9,
      failed,
    };
    await heartbeat(api.deps.db, { id, name: 'here', stages: ['evaluate'], needs: ['none', 'js'], unavailable, doctor });
    const system = SystemView.parse((await get('/api/system')).json());
    expect(system).toMatchObject({ version: '0.0.0-test', firstStart: { done: 0, of: 0 }, account: null });
    expect(system.workers).toEqual([
      { id, stages: ['evaluate'], needs: ['none', 'js'], unavailable, doctor, lastSeenAt: expect.any(String) },
    ]);
    expect(system.queues.map((queue) => queue.name)).toEqual([
      'screen',
      'verify',
      'evaluate-none',
      'evaluate-js',
      ...['node', 'python', 'image'].flatMap((profile) =>
        ['', '-gvisor', '-bounty', '-gvisor-bounty'].map((demands) => `evaluate-${profile}${demands}`),
      ),
    ]);
  });
});

describe('health', () => {
  const gone = () => openDatabase('postgresql://nobody:hunter2hunter2@127.0.0.1:1/none', { maxConnections: 1, name: 'gone' });

  it('200: the process runs and the database answers', async () => {
    expect((await get('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await get('/readyz')).json()).toEqual({ status: 'ok' });
  });

  it('503: not ready without the database, for a signed-in reader too; but the process runs', async () => {
    await using database = gone();
    api.app = await api.another({ db: database.db });
    for (const headers of [{}, api.bearer, { cookie: `${sessionCookie(api.deps.installation)}=${api.account.token}` }]) {
      const reply = await get('/readyz', headers);
      expect(problemOf(reply, 503, 'unavailable').faultOf).toBe('platform');
      expect(reply.headers['retry-after']).toBe('5');
      expect((await get('/healthz', headers)).statusCode).toBe(200);
      expect((await get('/', headers)).statusCode).toBe(200);
    }
    expect(api.log.join('')).not.toContain('hunter2');
  });

  it('503: within seconds, when the database takes the question and says nothing', async () => {
    const { pool } = api.database;
    const holders = await Promise.all(Array.from({ length: 12 }, () => pool.connect()));
    try {
      const begun = performance.now();
      problemOf(await get('/readyz'), 503, 'unavailable');
      expect(performance.now() - begun).toBeLessThan(4_000);
    } finally {
      for (const holder of holders) holder.release();
    }
  });

  it('500 for the rest without the database, saying nothing of it', async () => {
    await using database = gone();
    api.app = await api.another({ db: database.db });
    const reply = await get('/api/challenges');
    problemOf(reply, 500, 'internal');
    expect(reply.body).not.toMatch(/ECONNREFUSED|127\.0\.0\.1|nobody/);
  });
});

describe('pages', () => {
  it('200: the single page at each of its addresses', async () => {
    for (const url of ['/', '/challenges', '/challenges/capitals', '/submissions', '/submissions/x?show=all', '/status']) {
      const reply = await get(url);
      expect([reply.statusCode, reply.body, reply.headers['content-type']]).toEqual([200, indexHtml, 'text/html; charset=utf-8']);
      expect(reply.headers['cache-control']).toBe('no-cache');
    }
  });

  it('200: files with a hash in their name may be kept for ever', async () => {
    const reply = await get('/assets/main-0a1b2c3d.js');
    expect([reply.statusCode, reply.headers['content-type'], reply.headers['cache-control']]).toEqual([
      200,
      expect.stringMatching(/^(text|application)\/javascript; charset=utf-8$/),
      'public, max-age=31536000, immutable',
    ]);
  });

  it('404: to a person the page, which says so; to a program a problem', async () => {
    const visited = await get('/chalenges', { accept: 'text/html,*/*;q=0.8' });
    expect([visited.statusCode, visited.body]).toEqual([404, indexHtml]);
    problemOf(await get('/chalenges'), 404, 'not_found');
    problemOf(await get('/api/no-such', { accept: 'text/html' }), 404, 'not_found');
    problemOf(await api.app.inject({ method: 'POST', url: '/', headers: { accept: 'text/html' } }), 404, 'not_found');
  });

  it('404: nothing outside the folder, however it is spelt', async () => {
    for (const url of [
      '/../../installation.key',
      '/..%2f..%2finstallation.key',
      '/assets/..%2f..%2f..%2finstallation.key',
      '/%2e%2e/%2e%2e/installation.key',
    ]) {
      const reply = await get(url);
      expect(reply.statusCode, url).toBeGreaterThanOrEqual(400);
      expect(reply.body).not.toMatch(/[0-9a-f]{64}/);
    }
  });

  it('404: without built pages the API alone', async () => {
    api.app = await api.another({ pages: null });
    problemOf(await get('/', { accept: 'text/html' }), 404, 'not_found');
    expect((await get('/api/challenges')).statusCode).toBe(200);
  });
});

describe('every reply', () => {
  it('carries the security headers, also 404, 401 and pages', async () => {
    for (const reply of [
      await get('/api/challenges'),
      await get('/'),
      await get('/api/no'),
      await get('/api/challenges', { authorization: 'no' }),
    ]) {
      expect(reply.headers).toMatchObject({
        'content-security-policy': expect.stringContaining("default-src 'none';script-src 'self';"),
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      expect(reply.headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(reply.headers['content-security-policy']).not.toContain('unsafe-eval');
      expect(reply.headers).not.toHaveProperty('access-control-allow-origin');
      expect(reply.headers).not.toHaveProperty('x-powered-by');
    }
  });

  it('has only the fields of its schema', async () => {
    await publishCases('extra-field', [{ id: 'a', key: 'a', input: 1, expected: 'hunter2' }]);
    expect((await get('/api/challenges/extra-field')).json().publicCases).toEqual([{ id: 'a', key: 'a', input: 1 }]);
  });

  it('500: one that has not all of them is not sent', async () => {
    await publishCases('missing-field', [{ id: 'a', input: 'hunter2' }]);
    const reply = await get('/api/challenges/missing-field');
    problemOf(reply, 500, 'internal');
    expect(reply.body).not.toContain('hunter2');
  });

  it('429: above 1200 a minute, whoever asks, also with a wrong token', async () => {
    const bad = { authorization: `Bearer ${'x'.repeat(40)}` };
    const codes = new Map<number, number>();
    let last = await get('/api/system', bad);
    for (let i = 1; i < 1_201; i++) {
      last = await get('/healthz');
      codes.set(last.statusCode, (codes.get(last.statusCode) ?? 0) + 1);
    }
    expect(Object.fromEntries(codes)).toEqual({ 200: 1_199, 429: 1 });
    problemOf(last, 429, 'too_many_requests');
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
    problemOf(await get('/api/system', bad), 429, 'too_many_requests');
  });
});

describe('the log', () => {
  it('has the request id that the reader of a 500 is told, and the whole error; the reader has not', async () => {
    const broken = { publish: api.deps.queues.publish, waiting: () => Promise.reject(new Error('row 7 says hunter2')) };
    api.app = await api.another({ queues: broken });
    const reply = await get('/api/system', api.bearer);
    const problem = problemOf(reply, 500, 'internal');
    expect(reply.body).not.toContain('hunter2');
    const id = reply.headers['x-request-id'] as string;
    expect(problem.detail).toBe(`request ${id} failed`);
    const line = api.log.map((text) => JSON.parse(text)).find((entry) => entry.reqId === id);
    expect(line).toMatchObject({
      level: 50,
      msg: 'request failed',
      method: 'GET',
      route: '/api/system',
      err: { message: 'row 7 says hunter2' },
    });
  });

  it('never has a token, cookie or what was submitted', async () => {
    const broken = { publish: () => Promise.reject(new Error('down')), waiting: () => Promise.reject(new Error('down')) };
    api.app = await api.another({ queues: broken });
    const cookie = { cookie: `${sessionCookie(api.deps.installation)}=${api.account.token}` };
    const before = api.log.length;
    await get('/api/system', api.bearer);
    await get('/api/system', cookie);
    await get(`/api/system?token=${api.account.token}`);
    await get('/api/system', { authorization: `Bearer ${'wrong-token-'.repeat(4)}` });
    await api.app.inject({ method: 'POST', url: '/api/session', payload: { token: api.account.token } });
    await api.app.inject({ method: 'POST', url: '/api/session', payload: { token: 'wrong-token-wrong-token-' } });
    const payload = { submission: { kind: 'answers', answers: { fr: 'what I submitted' } } };
    const url = '/api/challenges/capitals/submissions';
    expect((await api.app.inject({ method: 'POST', url, headers: api.bearer, payload })).statusCode).toBe(201);
    const written = api.log.slice(before).join('');
    expect(written).toContain('the queue cannot be reached');
    for (const secret of [api.account.token, api.account.token.slice(11), 'wrong-token', 'what I submitted'])
      expect(written).not.toContain(secret);
  });

  it('an id that the client brings is not believed', async () => {
    expect((await get('/healthz', { 'x-request-id': 'forged', 'request-id': 'forged' })).headers['x-request-id']).not.toBe('forged');
  });
});
