import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queueName } from '../../contracts/queue.ts';
import type { SubmissionDocument } from '../../contracts/submission.ts';
import { cancel } from '../../domain/cancelling.ts';
import { listCases } from '../../domain/case-views.ts';
import { checkpoint } from '../../domain/checkpoint.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import { readEvents } from '../../domain/events/read.ts';
import { listStandings } from '../../domain/standings.ts';
import { expireUnrunnable } from '../../domain/sweeping.ts';
import { resultHash, submissionHash } from '../../evaluation/result-hash.ts';
import { dockerDriver } from '../../sandboxes/docker/driver.ts';
import { wasmDriver } from '../../sandboxes/wasm/driver.ts';
import {
  lastText,
  programOf,
  rightAnswers,
  rightProgram,
  rightPrompts,
  scriptedGateway,
  wordCases,
  wordFiles,
  wordRubricOf,
} from '../setup/evaluation.ts';
import { describeWith } from '../setup/optional.ts';
import { eventsOf, rowOf } from '../setup/records.ts';
import { testRedis } from '../setup/redis.ts';
import { type House, openHouse } from '../setup/stages.ts';
import { until } from '../setup/until.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

/* A submission of every kind through every stage, on both stores of the queue; and what ends one before it is judged. */

const redisFolder = await mkdtemp(path.join(tmpdir(), 'collective-redis-'));
const { state, redis } = await testRedis(redisFolder);
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
  await rm(redisFolder, { recursive: true, force: true });
});

const slug = 'say-the-word';
const words = wordRubricOf();
const kinds: [string, SubmissionDocument][] = [
  ['answers', rightAnswers(words)],
  ['prompts', rightPrompts(words)],
  ['defence', { kind: 'defence', systemPrompt: 'Say it.' }],
  ['program', rightProgram],
];

const statusesOf = async (house: House, id: string) =>
  (await eventsOf(house.db, id)).flatMap((event) => (event.kind === 'status' ? [event.status] : []));

function wholeWay(open: () => Promise<House>): void {
  it.each(kinds)('%s: from received to done, once, with a standing', async (kind, document) => {
    await using house = await open();
    const rubric = await house.publish(wordFiles());
    await house.start({ sandboxes: [wasmDriver()] });
    const id = await house.submit(slug, document, { participant: `participant of ${kind} ${uuid()}` });
    const row = await house.settled(id);
    expect(row).toMatchObject({
      status: 'done',
      outcome: 'pass',
      score: 1,
      attempt: 1,
      attempt_cost: 'spent',
      need: kind === 'program' ? 'js' : 'none',
    });
    expect(await statusesOf(house, id)).toEqual(['received', 'screening', 'queued', 'running', 'grading', 'verifying', 'done']);
    const events = await eventsOf(house.db, id);
    expect(events.filter((event) => event.kind === 'verdict')).toHaveLength(1);
    expect(events.flatMap((event) => (event.kind === 'case' ? [event.caseId] : [])).toSorted()).toEqual(['p0', 'p1', 'p2']);
    expect(row.progress_done).toBe(5);
    const results = await checkpoint(house.db, id);
    expect(results).toHaveLength(5);
    const calls = await house.db.selectFrom('model_call').selectAll().where('evaluation_id', '=', id).execute();
    expect(calls).toHaveLength(kind === 'prompts' || kind === 'defence' ? 5 : 0);
    const page = await listStandings(house.db, slug, { phase: 'all', limit: 100 });
    expect(page?.ok && page.items.map((one) => one.submissionId)).toContain(row.submission_id);
    // The stored hash is what anybody gets who computes it from the revealed seed and the stored grades.
    const verdict = row.verdict as unknown as Parameters<typeof resultHash>[0]['verdict'];
    const order = [...rubric.cases.public, ...rubric.cases.hidden].map((one) => one.id);
    const again = resultHash({
      rubricHash: rubric.hash,
      submissionHash: submissionHash(document),
      seed: row.seed ?? '',
      phase: 'all',
      verdict,
      results: results.toSorted((a, b) => order.indexOf(a.caseId) - order.indexOf(b.caseId)),
    });
    expect(row.result_hash).toBe(again);
  });
}

describe('the whole way, queues on PostgreSQL', () => wholeWay(() => openHouse(database)));
describeWith('redis', state, 'the whole way, queues on Redis', () => {
  wholeWay(() => openHouse(database, { redisUrl: redis?.url, redisPrefix: `stages-${uuid()}` }));
});

describe('what ends before it is judged', () => {
  it.each<[string, SubmissionDocument, RegExp]>([
    ['a wrong shape', { kind: 'answers', answers: { p0: 7 } }, /answers\/p0: .*string/],
    ['an unknown case', { kind: 'answers', answers: { p9: 'x' } }, /answers\/p9: no case of this phase has this key/],
    ['a prompt that is too long a conversation', { kind: 'prompts', prompts: { p0: ['a', 'b', 'c', 'd'] } }, /4 messages, at most 3/],
    ['a profile the rubric does not offer', { ...rightProgram, profile: 'node' }, /profile: expected js/],
  ])('%s is invalid, says where, and never reaches a worker that evaluates', async (_, document, message) => {
    await using house = await openHouse(database);
    await house.publish(wordFiles());
    await house.start();
    const id = await house.submit(slug, document);
    const row = await house.settled(id);
    expect(row).toMatchObject({ status: 'done', outcome: 'invalid', score: null, result_hash: null });
    const view = await showEvaluation(house.db, id);
    expect(view?.reason).toMatchObject({ code: 'invalid_submission', faultOf: 'participant', message: expect.stringMatching(message) });
    expect(view?.reason?.advice).not.toBe('');
    expect(await statusesOf(house, id)).toEqual(['received', 'screening', 'done']);
  });

  it('a program no worker can run waits with what to install and a deadline, then ends as error with the attempt returned', async () => {
    await using house = await openHouse(database);
    await house.publish(wordFiles());
    const docker = dockerDriver({ dockerHost: 'unix:///nowhere/docker.sock', socketFolder: house.folder, images: {}, workerId: uuid() });
    await house.start({ sandboxes: [wasmDriver(), docker] }, { stages: ['screen', 'evaluate', 'verify', 'sweep'] });
    const id = await house.submit(slug, { kind: 'program', language: 'python', source: 'def solve(task, target):\n    return 1\n' });
    await until('it says why it waits', async () => (await rowOf(house.db, id)).deadline_at !== null, 15_000);
    const waiting = (await showEvaluation(house.db, id))?.waiting;
    expect(waiting?.reason).toMatchObject({ code: 'no_worker', faultOf: 'platform' });
    expect(`${waiting?.reason.message} ${waiting?.reason.advice}`).toMatch(/Python.*Docker/s);
    await sql`update evaluation set deadline_at = clock_timestamp() where id = ${id}`.execute(house.db);
    await expireUnrunnable(house.db);
    expect(await house.settled(id)).toMatchObject({ status: 'done', outcome: 'error', attempt_cost: 'returned' });
  });
});

/** A target that answers nothing until it is let go. */
function heldTarget() {
  const state = { asked: 0, aborted: 0 };
  const release = Promise.withResolvers<void>();
  const gateway = scriptedGateway(async (request, _ref, signal) => {
    state.asked++;
    signal.addEventListener('abort', () => state.aborted++);
    await release.promise;
    return lastText(request);
  });
  return { gateway, state, release: release.resolve };
}

describe('a running evaluation', () => {
  it('that is cancelled stops asking, and nothing of it is written afterwards', async () => {
    await using house = await openHouse(database);
    const rubric = await house.publish(wordFiles({}, { public: wordCases('p', 60) }));
    const held = heldTarget();
    await house.start({ gateway: held.gateway });
    const id = await house.submit(slug, rightPrompts(rubric), { participant: 'canceller' });
    await until('calls are open', () => held.state.asked >= 16);
    const account = await house.db.selectFrom('account').select('id').where('name', '=', 'canceller').executeTakeFirstOrThrow();
    expect(await cancel(house.db, id, account)).toEqual({ ok: true, attemptCost: 'spent' });
    const before = await readEvents(house.db, id, 0, 1000);
    await until('the worker has noticed', () => held.state.aborted >= 16, 15_000);
    held.release();
    expect(held.state.asked).toBe(16);
    // The same worker goes on with other work.
    const next = await house.submit(slug, rightAnswers(rubric), { participant: 'next' });
    expect(await house.settled(next)).toMatchObject({ outcome: 'pass' });
    expect(await rowOf(house.db, id)).toMatchObject({ status: 'done', outcome: 'cancelled' });
    expect(await readEvents(house.db, id, 0, 1000)).toEqual(before);
    expect(await checkpoint(house.db, id)).toEqual([]);
  });

  it('is handed back at once when its worker stops, keeps what it had, and another one finishes it', async () => {
    await using house = await openHouse(database);
    const rubric = await house.publish(
      wordFiles({ budget: { calls: 32, inputTokens: 1_000_000, outputTokens: 1_000_000, costMicros: 0 } }, { public: wordCases('p', 30) }),
    );
    let asked = 0;
    const slow = scriptedGateway(async (request, _ref, signal) => {
      if (++asked > 10) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      return lastText(request);
    });
    const first = await house.start({ gateway: slow });
    const id = await house.submit(slug, rightPrompts(rubric));
    await until('some calls hang', () => asked >= 18);
    const stoppedAt = performance.now();
    await first[Symbol.asyncDispose]();
    expect(performance.now() - stoppedAt).toBeLessThan(5_000);
    expect(await rowOf(house.db, id)).toMatchObject({ status: 'queued', lease_holder: null, attempt: 1 });
    expect(await checkpoint(house.db, id)).toHaveLength(10);
    const rest: string[] = [];
    await house.start({
      gateway: scriptedGateway((request, ref) => {
        rest.push(ref.caseId);
        return lastText(request);
      }),
    });
    // Without another message: the one that was handed back is there.
    const row = await house.settled(id);
    // The budget covers each case once: had the calls that were cut off counted, some would now end as limit.
    expect(row).toMatchObject({ outcome: 'pass', score: 1, attempt: 1 });
    expect(rest).toHaveLength(22);
    const handedBack = (await statusesOf(house, id)).filter((status) => status === 'queued');
    expect(handedBack).toHaveLength(2);
  });

  it('whose message comes twice, or late, is judged once', async () => {
    await using house = await openHouse(database);
    const rubric = await house.publish(wordFiles());
    const id = await house.submit(slug, rightAnswers(rubric));
    for (let i = 0; i < 3; i++) await house.queues.publish(queueName.screen, { evaluationId: id });
    await house.start();
    await house.settled(id);
    for (const name of [queueName.screen, queueName.evaluate('none'), queueName.verify])
      await house.queues.publish(name, { evaluationId: id });
    await until('the late messages are gone', async () => {
      const waiting = await Promise.all(
        [queueName.screen, queueName.evaluate('none'), queueName.verify].map((name) => house.queues.waiting(name)),
      );
      return waiting.every((count) => count === 0);
    });
    const events = await eventsOf(house.db, id);
    expect(events.filter((event) => event.kind === 'verdict')).toHaveLength(1);
  });

  it('of a program that misbehaves says of each public case what happened, and is judged', async () => {
    await using house = await openHouse(database);
    await house.publish(wordFiles({}, { public: wordCases('p', 5) }));
    await house.start({ sandboxes: [wasmDriver()] });
    const body = `
      if (task.id === 'p0') return { garbage: true };
      if (task.id === 'p1') for (;;) {}
      if (task.id === 'p2') for (;;) console.log('x'.repeat(1000));
      if (task.id === 'p3') throw new Error('gone early');
      return 'word-' + task.id;`;
    const id = await house.submit(slug, programOf(body), { phase: 'open' });
    expect(await house.settled(id)).toMatchObject({ outcome: 'fail', score: 0.2, attempt: 1 });
    const page = await listCases(house.db, id, { limit: 10 });
    const seen = page?.ok ? page.items.map(({ caseId, end, limit, message }) => [caseId, end, limit, message]) : [];
    expect(seen).toEqual([
      ['p0', 'fault', null, expect.stringContaining('schema')],
      ['p1', 'limit', 'cpu', expect.stringContaining('1500 ms of CPU time')],
      ['p2', 'limit', 'output', expect.stringContaining('printed more than 4096 bytes')],
      ['p3', 'fault', null, expect.stringContaining('gone early')],
      ['p4', 'answered', null, null],
    ]);
  });
});
