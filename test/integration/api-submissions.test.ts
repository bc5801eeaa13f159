import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pageOf, SubmissionView } from '../../contracts/api.ts';
import { queueName } from '../../contracts/queue.ts';
import { maxBodyBytes } from '../../server/plugins/bodies.ts';
import { type Api, everyKindFiles, problemOf, publishFiles, startApi } from '../setup/api.ts';
import { submit } from '../setup/records.ts';
import { smallRubricFiles } from '../setup/rubrics.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await publishFiles(api, smallRubricFiles);
  await publishFiles(api, everyKindFiles);
});
afterAll(() => api[Symbol.asyncDispose]());
// A limit of its own for every test: the shared one would be used up by the whole file.
beforeEach(async () => {
  api.app = await api.another({});
});

const answers = { submission: { kind: 'answers', answers: { fr: 'Paris', jp: 'Tokyo', ke: 'Nairobi' } } };
const url = '/api/challenges/capitals/submissions';
const post = (payload: unknown, headers: Record<string, string> = {}, to = url) =>
  api.app.inject({ method: 'POST', url: to, headers: { ...api.bearer, ...headers }, payload: payload as object });
const postRaw = (payload: string | Buffer, headers: Record<string, string> = {}) =>
  api.app.inject({ method: 'POST', url, headers: { ...api.bearer, 'content-type': 'application/json', ...headers }, payload });
const rows = async () => {
  const { n } = await api.deps.db.selectFrom('submission').select(sql<number>`count(*)::int`.as('n')).executeTakeFirstOrThrow();
  return n;
};

/** Refused, and nothing is stored. */
async function refused(reply: ReturnType<typeof post>, status: number, code: string) {
  const before = await rows();
  const problem = problemOf(await reply, status, code);
  expect(await rows()).toBe(before);
  return problem;
}

describe('POST /api/challenges/:slug/submissions', () => {
  it('201: stores it, begins its evaluation and tells the queue', async () => {
    const waiting = await api.deps.queues.waiting(queueName.screen);
    const reply = await post({ ...answers, title: '  my first ' });
    expect(reply.statusCode, reply.body).toBe(201);
    const made = SubmissionView.parse(reply.json());
    expect(made).toMatchObject({ challenge: 'capitals', title: 'my first', kind: 'answers', participant: 'local', sample: false });
    expect(made.evaluation).toMatchObject({ status: 'received', outcome: null, phase: 'all', seed: null, lastEventSeq: 1 });
    expect(await api.deps.queues.waiting(queueName.screen)).toBe(waiting + 1);
    expect(Buffer.from((await api.deps.blobs.get(made.contentHash))!).toString()).toBe(
      JSON.stringify({ answers: answers.submission.answers, kind: 'answers' }),
    );
  });

  it.each(['"title":"\\ud800"', '"title":"\\udc00\\ud800"', '"\\ud800":1'])(
    '400: half of a surrogate pair at %s, which nothing could store',
    async (member) => {
      const body = `{"submission":{"kind":"answers","answers":{"fr":"Paris"}},${member}}`;
      expect((await refused(postRaw(body), 400, 'bad_request')).detail).toContain('surrogate');
    },
  );

  it('400: half of a surrogate pair in an answer', async () => {
    const body = '{"submission":{"kind":"answers","answers":{"fr":"Par\\ud83dis"}}}';
    expect((await refused(postRaw(body), 400, 'bad_request')).detail).toContain('surrogate');
    expect((await postRaw('{"submission":{"kind":"answers","answers":{"fr":"\\ud83d\\ude00"}}}')).statusCode).toBe(201);
  });

  it('201: also when the queue cannot be reached; the sweeper sends it later', async () => {
    const down = { waiting: api.deps.queues.waiting, publish: () => Promise.reject(new Error('no queue')) };
    const app = await api.another({ queues: down });
    const reply = await app.inject({ method: 'POST', url, headers: api.bearer, payload: answers });
    expect(reply.statusCode).toBe(201);
    expect(api.log.at(-1)).toContain('the queue cannot be reached');
  });

  it('201: also when the queue says nothing at all', async () => {
    const app = await api.another({ queues: { waiting: api.deps.queues.waiting, publish: () => new Promise(() => undefined) } });
    const begun = performance.now();
    const reply = await app.inject({ method: 'POST', url, headers: api.bearer, payload: answers });
    expect(reply.statusCode).toBe(201);
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(api.log.at(-1)).toContain('no answer within 2000 ms');
  });

  it('200: the same Idempotency-Key with the same body answers the first one, also 10 at once', async () => {
    const before = await rows();
    const replies = await Promise.all(Array.from({ length: 10 }, () => post(answers, { 'idempotency-key': 'once' })));
    expect(replies.map((reply) => reply.statusCode).toSorted()).toEqual([200, 200, 200, 200, 200, 200, 200, 200, 200, 201]);
    expect(new Set(replies.map((reply) => reply.json().id)).size).toBe(1);
    expect(await rows()).toBe(before + 1);
  });

  it('409: the same Idempotency-Key with another body', async () => {
    await post(answers, { 'idempotency-key': 'used' });
    await refused(post({ ...answers, title: 'another' }, { 'idempotency-key': 'used' }), 409, 'idempotency_conflict');
  });

  it('400: an Idempotency-Key that is none', async () => {
    for (const key of ['', 'a b', 'x'.repeat(201), 'ü']) await refused(post(answers, { 'idempotency-key': key }), 400, 'bad_request');
  });

  it('401: no token, before the body is read', async () => {
    const reply = api.app.inject({ method: 'POST', url, headers: { 'content-type': 'application/json' }, payload: '{ not even JSON' });
    const problem = await refused(reply, 401, 'unauthenticated');
    expect(problem.advice).toContain('token');
  });

  it('401: a bearer that is unknown or malformed', async () => {
    for (const authorization of [`Bearer ${'x'.repeat(40)}`, 'Bearer short', 'Basic dXNlcjpwYXNz', `Bearer ${api.account.token} x`, '']) {
      if (authorization !== '') await refused(post(answers, { authorization }), 401, 'unauthenticated');
    }
  });

  it('404: no such challenge', async () => {
    await refused(post(answers, {}, '/api/challenges/no-such/submissions'), 404, 'not_found');
  });

  it('422: a kind the challenge does not take, and a phase it does not have', async () => {
    const kind = await refused(post({ submission: { kind: 'defence', systemPrompt: 'no' } }), 422, 'invalid_submission');
    expect(kind.detail).toBe('this challenge takes answers, not defence');
    const phase = await refused(post({ ...answers, phase: 'final' }), 422, 'invalid_submission');
    expect(phase.detail).toContain('all');
  });

  it('400: keys nobody knows, at every level', async () => {
    for (const body of [{ ...answers, pahse: 'x' }, { submission: { ...answers.submission, admin: true } }]) {
      await refused(post(body), 400, 'bad_request');
    }
  });

  it('400: shapes that are none, with the path of each mistake', async () => {
    for (const body of [
      {},
      [],
      'text',
      7,
      null,
      { submission: null },
      { submission: { kind: 'image' } },
      { ...answers, title: '' },
      { ...answers, title: 'x'.repeat(201) },
    ]) {
      await refused(postRaw(JSON.stringify(body)), 400, 'bad_request');
    }
    const problem = await refused(post({ submission: { kind: 'program', language: 'cobol', source: '' } }), 400, 'bad_request');
    expect(problem.errors?.map((one) => one.path)).toEqual(['body/submission/language', 'body/submission/source']);
  });

  it('400: no body', async () => {
    await refused(postRaw(''), 400, 'bad_request');
    await refused(api.app.inject({ method: 'POST', url, headers: api.bearer }), 400, 'bad_request');
  });

  it('400: JSON 100,000 levels deep', async () => {
    const deep = `{"submission":{"kind":"answers","answers":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}}`;
    expect((await refused(postRaw(deep), 400, 'bad_request')).detail).toContain('100003 levels');
  });

  it('400: reserved keys, however they are written', async () => {
    for (const key of ['__proto__', 'constructor', '\\u005f_proto__']) {
      const problem = await refused(postRaw(`{"submission":{"kind":"answers","answers":{"${key}":{"admin":true}}}}`), 400, 'bad_request');
      expect(problem.detail).toContain('reserved key');
    }
  });

  it('400: bytes that are not UTF-8', async () => {
    const bytes = Buffer.from('{"submission":{"kind":"answers","answers":{"a":"\xff"}}}', 'latin1');
    expect((await refused(postRaw(bytes), 400, 'bad_request')).detail).toContain('not valid UTF-8');
  });

  it('400: NaN, Infinity, and a number too large to be one', async () => {
    for (const number of ['NaN', 'Infinity', '1e999']) {
      await refused(postRaw(`{"submission":{"kind":"answers","answers":{"a":${number}}}}`), 400, 'bad_request');
    }
  });

  it('400: more values than any challenge asks for, quickly', async () => {
    const members = Array.from({ length: 400_000 }, (_, i) => `"${i}":1`).join(',');
    const begun = performance.now();
    await refused(postRaw(`{"submission":{"kind":"prompts","prompts":{${members}}}}`), 400, 'bad_request');
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it('400: a problem stays small however large the mistake is', async () => {
    const reply = postRaw(
      JSON.stringify({
        ...answers,
        ['k'.repeat(1_000_000)]: 1,
        ...Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, 1])),
      }),
    );
    await refused(reply, 400, 'bad_request');
    expect((await reply).body.length).toBeLessThan(50_000);
  });

  it('413: a body above the limit', async () => {
    const problem = await refused(postRaw(Buffer.alloc(maxBodyBytes + 1, 0x20)), 413, 'too_large');
    expect(problem.faultOf).toBe('participant');
  });

  it('415: content types that a foreign page may send without asking', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml']) {
      await refused(postRaw(JSON.stringify(answers), { 'content-type': type }), 415, 'unsupported_media');
    }
  });

  it('stores text that PostgreSQL cannot hold without failing', async () => {
    const reply = await post({ ...answers, title: 'a\u0000b' });
    expect(reply.statusCode, reply.body).toBe(201);
  });
});

describe('GET /api/submissions', () => {
  it('200: newest first, of one challenge, and mine alone', async () => {
    await submit(api.deps.db, api.deps.blobs, { slug: 'every-kind', participant: 'somebody else' });
    const mine = (await post(answers)).json().id;
    const list = async (query: string) => {
      const reply = await api.app.inject({ method: 'GET', url: `/api/submissions${query}`, headers: api.bearer });
      return pageOf(SubmissionView).parse(reply.json());
    };
    expect((await list('')).items[0]?.id).toBe(mine);
    expect((await list('?challenge=every-kind')).items.map((one) => one.participant)).toContain('somebody else');
    expect(new Set((await list('?mine=true&limit=100')).items.map((one) => one.participant))).toEqual(new Set(['local']));
    const first = await list('?limit=1');
    const second = await list(`?limit=1&cursor=${first.nextCursor}`);
    expect(second.items[0]?.id).not.toBe(mine);
    expect(second.items).toHaveLength(1);
  });

  it('400: bad cursor', async () => {
    problemOf(await api.app.inject({ method: 'GET', url: '/api/submissions?cursor=x' }), 400, 'bad_request');
  });

  it('401: mine, without an account', async () => {
    problemOf(await api.app.inject({ method: 'GET', url: '/api/submissions?mine=true' }), 401, 'unauthenticated');
  });
});

describe('GET /api/submissions/:id', () => {
  it('200: with its evaluation', async () => {
    const made = (await post(answers)).json();
    const reply = await api.app.inject({ method: 'GET', url: `/api/submissions/${made.id}` });
    expect(reply.json()).toEqual(made);
  });

  it('404 and 400: unknown, and not an id', async () => {
    problemOf(await api.app.inject({ method: 'GET', url: '/api/submissions/01890000-0000-7000-8000-000000000000' }), 404, 'not_found');
    problemOf(await api.app.inject({ method: 'GET', url: "/api/submissions/1'or'1" }), 400, 'bad_request');
  });
});

describe('POST /api/submissions/:id/cancel', () => {
  const cancel = (id: string, headers: Record<string, string> = api.bearer) =>
    api.app.inject({ method: 'POST', url: `/api/submissions/${id}/cancel`, headers });

  it('200: mine', async () => {
    const { id } = (await post(answers)).json();
    const view = SubmissionView.parse((await cancel(id)).json());
    expect(view.evaluation).toMatchObject({ status: 'done', outcome: 'cancelled', attemptCost: 'returned' });
  });

  it('409: done already', async () => {
    const { id } = (await post(answers)).json();
    await cancel(id);
    problemOf(await cancel(id), 409, 'conflict');
  });

  it("403: somebody else's", async () => {
    const { submissionId } = await submit(api.deps.db, api.deps.blobs, { slug: 'capitals', participant: 'somebody else' });
    problemOf(await cancel(submissionId), 403, 'not_yours');
  });

  it('404: unknown', async () => {
    problemOf(await cancel('01890000-0000-7000-8000-000000000000'), 404, 'not_found');
  });

  it('401: nobody', async () => {
    const { id } = (await post(answers)).json();
    problemOf(await cancel(id, {}), 401, 'unauthenticated');
  });
});
