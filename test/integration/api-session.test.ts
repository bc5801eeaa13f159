import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sessionCookie } from '../../server/plugins/identity.ts';
import { type Api, problemOf, publishFiles, startApi } from '../setup/api.ts';
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

const signIn = (token: string, app = api.app) => app.inject({ method: 'POST', url: '/api/session', payload: { token } });
const cookie = () => ({ cookie: `${sessionCookie(api.deps.installation)}=${api.account.token}` });
const account = async (headers: Record<string, string>) =>
  (await api.app.inject({ method: 'GET', url: '/api/system', headers })).json().account;
const submitAs = (headers: Record<string, string>) =>
  api.app.inject({
    method: 'POST',
    url: '/api/challenges/capitals/submissions',
    headers,
    payload: { submission: { kind: 'answers', answers: {} } },
  });

describe('POST /api/session', () => {
  it('200: gives a cookie that no script reads and no other site sends', async () => {
    const reply = await signIn(api.account.token);
    expect(reply.json()).toEqual({ account: 'local' });
    expect(reply.cookies).toEqual([
      {
        name: sessionCookie(api.deps.installation),
        value: api.account.token,
        httpOnly: true,
        sameSite: 'Strict',
        path: '/',
        maxAge: 2_592_000,
      },
    ]);
    expect(reply.headers['cache-control']).toBe('no-store');
    expect(await account(cookie())).toBe('local');
  });

  it('200: the cookie stays on TLS where people come over TLS', async () => {
    const app = await api.another({ publicUrl: 'https://judge.example', hostNames: [] });
    expect((await signIn(api.account.token, app)).cookies[0]).toMatchObject({ secure: true });
  });

  it('names the cookie after the installation: two on one machine do not sign each other out', () => {
    expect(sessionCookie({ sub: () => 'aaaaaaaabbbb' })).not.toBe(sessionCookie({ sub: () => 'ccccccccdddd' }));
  });

  it('401: an unknown token', async () => {
    const reply = await signIn('x'.repeat(40));
    problemOf(reply, 401, 'unauthenticated');
    expect(reply.cookies).toEqual([]);
  });

  it('400: no token, a short one, unknown keys', async () => {
    for (const payload of [{}, { token: 'short' }, { token: 7 }, { token: 'x'.repeat(40), next: 'http://evil' }]) {
      problemOf(await api.app.inject({ method: 'POST', url: '/api/session', payload }), 400, 'bad_request');
    }
  });

  it('415: a form, which any site could send', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    problemOf(
      await api.app.inject({ method: 'POST', url: '/api/session', headers, payload: `token=${api.account.token}` }),
      415,
      'unsupported_media',
    );
  });

  it('429: after 60 tries in a minute', async () => {
    for (let i = 0; i < 60; i++) expect((await signIn('x'.repeat(40))).statusCode).toBe(401);
    const reply = await signIn(api.account.token);
    problemOf(reply, 429, 'too_many_requests');
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe('DELETE /api/session', () => {
  it('204: takes the cookie away', async () => {
    const reply = await api.app.inject({
      method: 'DELETE',
      url: '/api/session',
      headers: { ...cookie(), origin: 'http://localhost:80', host: 'localhost:80' },
    });
    expect([reply.statusCode, reply.body]).toEqual([204, '']);
    expect(reply.cookies[0]).toMatchObject({ name: sessionCookie(api.deps.installation), value: '', path: '/', httpOnly: true });
  });
});

describe('a request that changes something, with the cookie', () => {
  it('201: from our own pages', async () => {
    expect((await submitAs({ ...cookie(), host: 'localhost:4870', origin: 'http://localhost:4870' })).statusCode).toBe(201);
  });

  it('201: from the public address, when a proxy asks under another name', async () => {
    api.app = await api.another({ publicUrl: 'https://judge.example', hostNames: ['127.0.0.1'] });
    expect((await submitAs({ ...cookie(), host: '127.0.0.1:4870', origin: 'https://judge.example' })).statusCode).toBe(201);
    problemOf(await submitAs({ ...cookie(), host: '127.0.0.1:4870', origin: 'http://judge.example' }), 403, 'cross_site');
  });

  it('403: without Origin, from another site, another port, or nowhere', async () => {
    problemOf(await submitAs({ ...cookie(), host: 'localhost:4870' }), 403, 'cross_site');
    for (const origin of [
      'https://evil.example',
      'http://localhost:9999',
      'http://localhost:4870.evil.example',
      'null',
      'localhost:4870',
    ]) {
      problemOf(await submitAs({ ...cookie(), host: 'localhost:4870', origin }), 403, 'cross_site');
    }
  });

  it('401: an unknown cookie is a visitor', async () => {
    problemOf(await submitAs({ cookie: `${sessionCookie(api.deps.installation)}=${'x'.repeat(40)}` }), 401, 'unauthenticated');
  });

  it('reads need no Origin', async () => {
    expect(await account(cookie())).toBe('local');
    expect(await account({})).toBeNull();
  });
});

describe('the Host header', () => {
  it('200: the names of this server, with any port and in any case', async () => {
    for (const host of ['localhost', 'LOCALHOST:4870', '127.0.0.1:1', '[::1]:4870']) {
      expect((await api.app.inject({ method: 'GET', url: '/api/challenges', headers: { host } })).statusCode, host).toBe(200);
    }
  });

  it('403: any other, for API and pages, known addresses and unknown ones', async () => {
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '[::2]:80', 'localhost.']) {
      for (const url of ['/api/challenges', '/', '/no-such', '/api/no-such']) {
        problemOf(await api.app.inject({ method: 'GET', url, headers: { host } }), 403, 'forbidden_host');
      }
    }
  });

  it('200: health checks come by address', async () => {
    expect((await api.app.inject({ method: 'GET', url: '/readyz', headers: { host: '10.0.0.7:4870' } })).statusCode).toBe(200);
  });
});
