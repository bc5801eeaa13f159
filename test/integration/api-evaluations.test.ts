import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CaseDetail, CaseView, EvaluationView, pageOf, StandingView } from '../../contracts/api.ts';
import type { CaseResult } from '../../contracts/evaluation.ts';
import { recordCases } from '../../domain/recording.ts';
import { finish } from '../../domain/finishing.ts';
import { type Api, problemOf, startApi } from '../setup/api.ts';
import { exchangeOf, publish, resultHash, resultOf, submit, toRunning, toVerifying, usage, verdictOf } from '../setup/records.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await publish(api.deps.db, api.deps.blobs);
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  api.app = await api.another({});
});

const get = (url: string) => api.app.inject({ method: 'GET', url });
const unknown = '01890000-0000-7000-8000-000000000000';
const secret = 'the hidden word';

async function judged(
  phase: string,
  results: CaseResult[],
  score = 0.7512,
  participant = 'somebody',
): Promise<{ evaluationId: string; submissionId: string }> {
  const { db, blobs } = api.deps;
  const entered = await submit(db, blobs, { phase, participant });
  const lease = await toRunning(db, entered.evaluationId);
  expect(await recordCases(db, lease, results)).toBe(true);
  const verifying = await toVerifying(db, lease);
  expect(await finish(db, verifying, { verdict: verdictOf(score, [score - 0.1, score + 0.1]), resultHash, usage, simulated: true })).toBe(
    true,
  );
  return entered;
}

const hidden = (id: string) =>
  resultOf(id, {
    message: secret,
    grades: [{ criterion: 'right', grader: 'equals', status: 'graded', score: 1, evidence: { guess: secret } }],
  });

describe('GET /api/evaluations/:id', () => {
  it('200: everything, when only public cases were judged', async () => {
    const { evaluationId } = await judged(
      'development',
      ['p0', 'p1', 'p2', 'p3'].map((id) => resultOf(id)),
    );
    const view = EvaluationView.parse((await get(`/api/evaluations/${evaluationId}`)).json());
    expect(view).toMatchObject({
      status: 'done',
      outcome: 'pass',
      score: 0.7512,
      rounded: false,
      resultHash,
      seed: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('200: rounded, without counts, hash and hidden usage, when hidden ones took part', async () => {
    const { evaluationId } = await judged('final', [resultOf('p0'), hidden('h0'), hidden('h1')]);
    const reply = await get(`/api/evaluations/${evaluationId}`);
    const view = EvaluationView.parse(reply.json());
    expect(view).toMatchObject({ score: 0.75, rounded: true, resultHash: null });
    expect(view.metrics.accuracy).not.toHaveProperty('numerator');
    expect(view.usage).not.toEqual(usage);
    expect(reply.body).not.toContain('0.7512');
  });

  it('200: yes or no alone, for holdout cases', async () => {
    const { evaluationId } = await judged('confirmation', [hidden('o0'), hidden('o1')]);
    expect(EvaluationView.parse((await get(`/api/evaluations/${evaluationId}`)).json())).toMatchObject({
      outcome: 'pass',
      score: null,
      interval: null,
      metrics: {},
      criteria: [],
    });
  });

  it('200: the seed only when it is done', async () => {
    const { evaluationId } = await submit(api.deps.db, api.deps.blobs);
    const view = EvaluationView.parse((await get(`/api/evaluations/${evaluationId}`)).json());
    expect(view).toMatchObject({ seed: null, seedCommitment: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('404 and 400', async () => {
    problemOf(await get(`/api/evaluations/${unknown}`), 404, 'not_found');
    problemOf(await get('/api/evaluations/7'), 400, 'bad_request');
  });
});

describe('GET /api/evaluations/:id/cases', () => {
  it('200: the public ones with grades, in pages; hidden and holdout never', async () => {
    const { evaluationId } = await judged('final', [resultOf('p0'), resultOf('p1'), resultOf('p2'), hidden('h0')]);
    const first = pageOf(CaseView).parse((await get(`/api/evaluations/${evaluationId}/cases?limit=2`)).json());
    const rest = await get(`/api/evaluations/${evaluationId}/cases?limit=2&cursor=${first.nextCursor}`);
    expect([...first.items, ...pageOf(CaseView).parse(rest.json()).items].map((one) => [one.caseId, one.key])).toEqual([
      ['p0', 'key 0'],
      ['p1', 'key 1'],
      ['p2', 'key 2'],
    ]);
    expect(rest.json().nextCursor).toBeNull();
    const whole = await get(`/api/evaluations/${evaluationId}/cases`);
    expect(whole.body).not.toContain(secret);
    expect(whole.body).not.toContain('h0');
  });

  it('200: none of an evaluation that cost nothing', async () => {
    const { evaluationId } = await submit(api.deps.db, api.deps.blobs);
    expect((await get(`/api/evaluations/${evaluationId}/cases`)).json()).toEqual({ items: [], nextCursor: null });
  });

  it('400: cursors that this list never made', async () => {
    const { evaluationId } = await submit(api.deps.db, api.deps.blobs);
    const forged = [
      { trial: 0 },
      { trial: 0.5, id: 'p0' },
      { trial: 2 ** 40, id: 'p0' },
      { trial: -1, id: 'p0' },
      { trial: 0, id: 'a\u0000b' },
      [],
    ];
    for (const key of forged) {
      const cursor = Buffer.from(JSON.stringify(key)).toString('base64url');
      problemOf(await get(`/api/evaluations/${evaluationId}/cases?cursor=${cursor}`), 400, 'bad_request');
    }
  });

  it('404: unknown', async () => {
    problemOf(await get(`/api/evaluations/${unknown}/cases`), 404, 'not_found');
  });
});

describe('GET /api/evaluations/:id/cases/:caseId/:trial', () => {
  it('200: input, transcript and log of a public case', async () => {
    const { blobs } = api.deps;
    const transcriptHash = await blobs.put(Buffer.from(JSON.stringify([exchangeOf(0)])));
    const logHash = await blobs.put(Buffer.from('printed \ufffd text'));
    const { evaluationId } = await judged('final', [resultOf('p1', { transcriptHash, logHash }), hidden('h0')]);
    const detail = CaseDetail.parse((await get(`/api/evaluations/${evaluationId}/cases/p1/0`)).json());
    expect(detail).toMatchObject({ input: { hint: 1 }, log: 'printed \ufffd text', case: { hasTranscript: true, hasLog: true } });
    expect(detail.transcript).toEqual([exchangeOf(0)]);
  });

  it('404: a hidden case answers exactly as one that does not exist', async () => {
    const { evaluationId } = await judged('final', [resultOf('p0'), hidden('h0')]);
    const replies = await Promise.all(['h0', 'h99', 'p3'].map((id) => get(`/api/evaluations/${evaluationId}/cases/${id}/0`)));
    const problems = replies.map((reply) => ({ ...problemOf(reply, 404, 'not_found'), instance: '' }));
    expect(problems[0]).toEqual(problems[1]);
    expect(problems[2]).toEqual(problems[1]);
    problemOf(await get(`/api/evaluations/${evaluationId}/cases/p0/1`), 404, 'not_found');
  });

  it('400: names and trials that cannot be', async () => {
    for (const rest of ['%00/0', 'a%20b/0', `${'a'.repeat(101)}/0`, 'p0/-1', 'p0/x', 'p0/1e9']) {
      problemOf(await get(`/api/evaluations/${unknown}/cases/${rest}`), 400, 'bad_request');
    }
  });
});

describe('GET /api/challenges/:slug/standings', () => {
  const standings = async (query: string) => {
    const reply = await get(`/api/challenges/guess-the-word/standings${query}`);
    expect(reply.statusCode, reply.body).toBe(200);
    return pageOf(StandingView).parse(reply.json());
  };

  it('200: best first, each participant once, in pages', async () => {
    for (const [name, score] of [
      ['a', 0.9],
      ['b', 0.2],
      ['c', 0.6],
      ['c', 0.5],
    ] as const)
      await judged('development', [resultOf('p0')], score, `standing ${name}`);
    const all = (await standings('')).items.filter((one) => one.participant.startsWith('standing'));
    expect(all.map((one) => [one.participant, one.score])).toEqual([
      ['standing a', 0.9],
      ['standing c', 0.6],
      ['standing b', 0.2],
    ]);
    const first = await standings('?limit=1');
    const next = await standings(`?limit=100&cursor=${first.nextCursor}`);
    expect([...first.items, ...next.items]).toEqual((await standings('')).items);
  });

  it('200: of another phase, rounded where hidden cases took part', async () => {
    await judged('final', [resultOf('p0')], 0.7512, 'standing in the final');
    const entry = (await standings('?phase=final')).items.find((one) => one.participant === 'standing in the final');
    expect(entry).toMatchObject({ score: 0.75, standing: 'provisional' });
  });

  it('404: no such challenge, no such phase', async () => {
    problemOf(await get('/api/challenges/no-such/standings'), 404, 'not_found');
    problemOf(await get('/api/challenges/guess-the-word/standings?phase=no-such'), 404, 'not_found');
  });

  it('400: bad cursor', async () => {
    const account = unknown;
    for (const key of [{ score: 'x' }, { score: 1, at: 'yesterday', account }, { score: 1, at: '0000-01-01T00:00:00Z', account }]) {
      const cursor = Buffer.from(JSON.stringify(key)).toString('base64url');
      problemOf(await get(`/api/challenges/guess-the-word/standings?cursor=${cursor}`), 400, 'bad_request');
    }
  });
});
