import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Need } from '../../contracts/queue.ts';
import { failAttempt } from '../../domain/attempts.ts';
import type { Db } from '../../domain/db/client.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import { claim } from '../../domain/leases.ts';
import { moveTo } from '../../domain/moves.ts';
import { describeWaits, expireUnrunnable, findStuck, resendAfterMs } from '../../domain/sweeping.ts';
import { forgetDeadWorkers, heartbeat, liveNeeds, liveWorkers, removeWorker } from '../../domain/workers.ts';
import {
  eventsOf,
  fault,
  letLeaseRunOut,
  makeRetryDue,
  memoryBlobs,
  publish,
  rowOf,
  submit,
  toQueued,
  toRunning,
} from '../setup/records.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

let database: TestDatabase;
let db: Db;
const blobs = memoryBlobs();
beforeEach(async () => {
  database = await testDatabase();
  db = database.db;
  await publish(db, blobs);
});
afterEach(() => database[Symbol.asyncDispose]());

/** Moves the start of a wait, and of what was sent again, into the past. */
const age = (id: string, ms: number) =>
  sql`update evaluation set status_since = status_since - ${ms} * interval '1 ms', resent_at = resent_at - ${ms} * interval '1 ms' where id = ${id}`.execute(
    db,
  );
const entered = async () => (await submit(db, blobs)).evaluationId;
const worker = (needs: Need[], changes: { id?: string; stages?: string[] } = {}) => ({
  id: changes.id ?? uuidv7(),
  name: 'machine',
  stages: changes.stages ?? ['screen', 'evaluate', 'verify'],
  needs,
  unavailable: [{ need: 'python', reason: 'no Docker engine answers at unix:///var/run/docker.sock', install: 'install docker.io.' }],
});

describe('findStuck', () => {
  it('finds what waited too long, with its stage and need, and leaves alone what is fresh or held', async () => {
    const [fresh, received, queued, verifying, held] = [
      await entered(),
      await entered(),
      await entered(),
      await entered(),
      await entered(),
    ];
    await toQueued(db, queued, 'python');
    expect(await moveTo(db, await toRunning(db, verifying), 'verifying')).toBe(true);
    await toRunning(db, held);
    expect(await findStuck(db)).toEqual([]);
    for (const id of [received, queued, verifying, held]) await age(id, resendAfterMs + 1_000);
    const stuck = await findStuck(db);
    expect(stuck.map((one) => one.evaluationId)).not.toContain(fresh);
    expect(stuck.sort((a, b) => a.stage.localeCompare(b.stage))).toEqual([
      { evaluationId: queued, stage: 'evaluate', need: 'python' },
      { evaluationId: received, stage: 'screen', need: 'none' },
      { evaluationId: verifying, stage: 'verify', need: 'none' },
    ]);
  });

  it('sends a row again ever more rarely, and starts anew when it has moved', async () => {
    const id = await entered();
    await age(id, resendAfterMs + 1_000);
    expect(await findStuck(db)).toHaveLength(1);
    expect(await findStuck(db)).toEqual([]);
    await age(id, resendAfterMs + 1_000);
    expect(await findStuck(db)).toEqual([]);
    await age(id, resendAfterMs + 1_000);
    expect(await findStuck(db)).toHaveLength(1);
    await toQueued(db, id);
    expect(await rowOf(db, id)).toMatchObject({ resent: 0, resent_at: null });
  });

  it('finds a lease that ran out and a retry that is due at once', async () => {
    const [dead, retry] = [await entered(), await entered()];
    await toRunning(db, dead);
    const lease = await toRunning(db, retry);
    expect(await failAttempt(db, lease, fault)).toBe('retry');
    expect(await findStuck(db)).toEqual([]);
    await letLeaseRunOut(db, dead);
    await makeRetryDue(db, retry);
    expect((await findStuck(db)).map((one) => one.evaluationId).sort()).toEqual([dead, retry].sort());
    expect(await findStuck(db)).toEqual([]);
    expect(await claim(db, dead, { from: ['queued', 'running'], to: 'running', workerId: 'heir' })).not.toBeNull();
    expect(await claim(db, retry, { from: ['queued', 'running'], to: 'running', workerId: 'heir' })).not.toBeNull();
  });

  it('gives each row to one of several sweepers', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, entered));
    for (const id of ids) await age(id, resendAfterMs + 1_000);
    const found = (await Promise.all([findStuck(db), findStuck(db), findStuck(db)])).flat();
    expect(found.map((one) => one.evaluationId).sort()).toEqual([...ids].sort());
  });
});

describe('waits', () => {
  it('say what is missing and how to get it, once, with a deadline that a worker takes away', async () => {
    const id = await entered();
    await toQueued(db, id, 'python');
    await age(id, 5_000);
    const js = worker(['none', 'js']);
    await heartbeat(db, js);
    expect(await describeWaits(db)).toBe(1);
    expect(await describeWaits(db)).toBe(0);
    const view = await showEvaluation(db, id);
    expect(view?.waiting).toMatchObject({ reason: { code: 'no_worker', faultOf: 'platform' }, queuePosition: 1 });
    expect(view?.waiting?.reason.message).toContain('no Docker engine answers');
    expect(view?.waiting?.reason.advice).toContain('install docker.io');
    expect(view?.waiting?.deadlineAt).not.toBeNull();
    await heartbeat(db, { ...js, needs: ['none', 'js', 'python'] });
    expect(await describeWaits(db)).toBe(1);
    expect((await showEvaluation(db, id))?.waiting).toMatchObject({ reason: { code: 'waits_in_queue' }, deadlineAt: null });
    expect((await eventsOf(db, id)).filter((event) => event.kind === 'waiting').map((event) => event.reason.code)).toEqual([
      'no_worker',
      'waits_in_queue',
    ]);
    expect(await claim(db, id, { from: ['queued'], to: 'running', workerId: 'w' })).not.toBeNull();
    expect((await showEvaluation(db, id))?.waiting).toBeNull();
  });

  it('tell another cause of the same wait, which does not move its deadline', async () => {
    const id = await entered();
    await toQueued(db, id, 'python-bounty');
    await age(id, 5_000);
    const one = worker(['none', 'python']);
    const because = (reason: string) => heartbeat(db, { ...one, unavailable: [{ need: 'python-bounty', reason, install: 'mend it.' }] });
    await because('the checks have not ended');
    expect(await describeWaits(db)).toBe(1);
    const before = (await showEvaluation(db, id))?.waiting;
    expect(before?.reason.message).toContain('run Python programs for a bounty: the checks have not ended');
    await because('the engine has known holes');
    expect(await describeWaits(db)).toBe(1);
    expect(await describeWaits(db)).toBe(0);
    const after = (await showEvaluation(db, id))?.waiting;
    expect(after?.reason.message).toContain('the engine has known holes');
    expect(after?.deadlineAt).toBe(before?.deadlineAt);
  });

  it('name the stage when nobody serves it, and are quiet at first', async () => {
    const id = await entered();
    await heartbeat(db, worker(['none'], { stages: ['evaluate'] }));
    expect(await describeWaits(db)).toBe(0);
    await age(id, 5_000);
    expect(await describeWaits(db)).toBe(1);
    expect((await showEvaluation(db, id))?.waiting?.reason.message).toContain('no worker of the screen stage');
  });

  it('tell the place in the queue of the same need', async () => {
    const ids = [await entered(), await entered(), await entered()];
    await toQueued(db, ids[0]!, 'js');
    await toQueued(db, ids[1]!, 'python');
    await toQueued(db, ids[2]!, 'js');
    for (const id of ids) await age(id, 5_000);
    await describeWaits(db);
    const places = await Promise.all(ids.map(async (id) => (await showEvaluation(db, id))?.waiting?.queuePosition));
    expect(places).toEqual([1, 1, 2]);
  });
});

describe('expireUnrunnable', () => {
  const overdue = (id: string) => sql`update evaluation set deadline_at = clock_timestamp() - interval '1 ms' where id = ${id}`.execute(db);

  it('ends what no worker could run as error, with the attempt returned', async () => {
    const id = await entered();
    await toQueued(db, id, 'python');
    await age(id, 5_000);
    await describeWaits(db);
    expect(await expireUnrunnable(db)).toEqual([]);
    await overdue(id);
    expect(await expireUnrunnable(db)).toEqual([id]);
    expect(await rowOf(db, id)).toMatchObject({ status: 'done', outcome: 'error', attempt_cost: 'returned', score: null });
    expect((await showEvaluation(db, id))?.reason?.code).toBe('no_worker_in_time');
    expect(await expireUnrunnable(db)).toEqual([]);
    expect(await claim(db, id, { from: ['queued'], to: 'running', workerId: 'late' })).toBeNull();
  });

  it('spares what a worker that has just appeared can run', async () => {
    const id = await entered();
    await toQueued(db, id, 'python');
    await age(id, 5_000);
    await describeWaits(db);
    await overdue(id);
    await heartbeat(db, worker(['python']));
    expect(await expireUnrunnable(db)).toEqual([]);
    expect((await rowOf(db, id)).status).toBe('queued');
  });
});

describe('workers', () => {
  it('count while they beat', async () => {
    const silent = worker(['js']);
    await heartbeat(db, silent);
    await heartbeat(db, silent);
    expect(await liveWorkers(db)).toHaveLength(1);
    expect((await liveNeeds(db)).needs.js).toEqual({ available: true });
    await sql`update worker set last_seen_at = now() - interval '31 s'`.execute(db);
    expect(await liveWorkers(db)).toEqual([]);
    expect((await liveNeeds(db)).needs.js).toMatchObject({ available: false, reason: 'no worker that evaluates is running' });
    await sql`update worker set last_seen_at = now() - interval '25 h'`.execute(db);
    await forgetDeadWorkers(db);
    expect(await db.selectFrom('worker').select('id').execute()).toEqual([]);
  });

  it('are not waited for after a goodbye', async () => {
    const one = worker(['none']);
    await heartbeat(db, one);
    await removeWorker(db, one.id);
    expect((await liveNeeds(db)).needs.none.available).toBe(false);
  });
});
