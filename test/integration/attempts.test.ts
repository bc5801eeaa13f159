import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retryPolicy } from '../../contracts/queue.ts';
import { failAttempt, retryDelayMs } from '../../domain/attempts.ts';
import { allotment } from '../../domain/budgets.ts';
import { cancel } from '../../domain/cancelling.ts';
import { claim, type Lease } from '../../domain/leases.ts';
import { unpark } from '../../domain/parking.ts';
import { recordCases, recordSplit } from '../../domain/recording.ts';
import { cancelSubmission } from '../../domain/submission-views.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import {
  eventsOf,
  fault,
  letLeaseRunOut,
  makeRetryDue,
  memoryBlobs,
  publish,
  resultOf,
  rowOf,
  runningAgain,
  submit,
  toQueued,
  toRunning,
  toVerifying,
} from '../setup/records.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

let database: TestDatabase;
const blobs = memoryBlobs();
beforeAll(async () => {
  database = await testDatabase();
  await publish(database.db, blobs);
});
afterAll(() => database[Symbol.asyncDispose]());

const running = async (phase = 'development'): Promise<Lease> =>
  toRunning(database.db, (await submit(database.db, blobs, { phase })).evaluationId);
const draw = (lease: Lease) =>
  allotment(database.db, lease, { calls: 10, inputTokens: 10, outputTokens: 10, costMicros: 10 }, 'targets').draw({
    calls: 1,
    inputTokens: 1,
    outputTokens: 1,
    costMicros: 1n,
  });

describe('failAttempt', () => {
  it('queues the evaluation again, later each time, keeps what was recorded, and parks it after the last attempt', async () => {
    let lease = await running();
    const id = lease.evaluationId;
    await recordCases(database.db, lease, [resultOf('p0')]);
    for (let attempt = 1; attempt < retryPolicy.attempts; attempt++) {
      expect(await failAttempt(database.db, lease, fault)).toBe('retry');
      const row = await rowOf(database.db, id);
      expect(row).toMatchObject({
        status: 'queued',
        attempt: attempt + 1,
        lease_holder: null,
        attempt_cost: 'open',
        progress_done: 1,
        reason: fault,
      });
      const waitMs = row.next_attempt_at!.getTime() - row.status_since.getTime();
      expect(Math.abs(waitMs - retryDelayMs(attempt))).toBeLessThan(500);
      expect(await claim(database.db, id, { from: ['queued'], to: 'running', workerId: 'early' })).toBeNull();
      await makeRetryDue(database.db, id);
      lease = await runningAgain(database.db, id);
    }
    await draw(lease);
    expect(await failAttempt(database.db, lease, fault)).toBe('parked');
    expect(await rowOf(database.db, id)).toMatchObject({ status: 'parked', outcome: null, attempt_cost: 'returned', lease_holder: null });
    expect(await failAttempt(database.db, lease, fault)).toBe('lost');
    const events = await eventsOf(database.db, id);
    expect(events.filter((event) => event.kind === 'retry').map((event) => event.attempt)).toEqual([2, 3, 4]);
    expect(events.at(-1)).toMatchObject({ kind: 'waiting', reason: { code: 'parked_for_operator' }, deadlineAt: null });
    expect(await unpark(database.db, id)).toBe('queued');
    expect((await rowOf(database.db, id)).attempt).toBe(1);
  });

  it('waits 1, 4 and 16 seconds', () => {
    expect([1, 2, 3].map(retryDelayMs)).toEqual([1_000, 4_000, 16_000]);
  });

  it('goes back to where the stage starts', async () => {
    const { evaluationId } = await submit(database.db, blobs);
    const screening = (await claim(database.db, evaluationId, { from: ['received'], to: 'screening', workerId: 's' }))!;
    expect(await failAttempt(database.db, screening, fault)).toBe('retry');
    expect((await rowOf(database.db, evaluationId)).status).toBe('received');

    const verifying = await toVerifying(database.db, await running());
    expect(await failAttempt(database.db, verifying, fault)).toBe('retry');
    expect(await rowOf(database.db, verifying.evaluationId)).toMatchObject({ status: 'verifying', lease_holder: null });
    await makeRetryDue(database.db, verifying.evaluationId);
    expect(await claim(database.db, verifying.evaluationId, { from: ['verifying'], to: 'verifying', workerId: 'v' })).not.toBeNull();
  });

  it('shows the fault’s text where all cases are public, and withholds it where hidden ones took part', async () => {
    const open = await running();
    await failAttempt(database.db, open, fault);
    expect((await showEvaluation(database.db, open.evaluationId))?.reason).toEqual(fault);
    const closed = await running('final');
    await failAttempt(database.db, closed, fault);
    const view = await showEvaluation(database.db, closed.evaluationId);
    expect(view?.reason).toMatchObject({ code: 'details_withheld', faultOf: 'target' });
    expect(JSON.stringify([view, await eventsOf(database.db, closed.evaluationId)])).not.toMatch(/secret|h0/);
    expect(view?.waiting).toMatchObject({ reason: { code: 'waits_for_retry' }, deadlineAt: expect.any(String) });
  });

  it('is refused to a lease that ran out', async () => {
    const lease = await running();
    await letLeaseRunOut(database.db, lease.evaluationId);
    expect(await failAttempt(database.db, lease, fault)).toBe('lost');
    expect(await rowOf(database.db, lease.evaluationId)).toMatchObject({ status: 'running', attempt: 1 });
  });
});

describe('cancel', () => {
  it.each(['received', 'queued', 'running', 'verifying', 'parked'])('is free while %s before the first call', async (status) => {
    const entered = await submit(database.db, blobs);
    const id = entered.evaluationId;
    if (status === 'queued') await toQueued(database.db, id);
    if (status === 'running' || status === 'verifying') {
      const lease = await toRunning(database.db, id);
      if (status === 'verifying') await toVerifying(database.db, lease);
    }
    if (status === 'parked') {
      const lease = await toRunning(database.db, id);
      await sql`update evaluation set attempt = ${retryPolicy.attempts} where id = ${id}`.execute(database.db);
      await draw(lease);
      expect(await failAttempt(database.db, lease, fault)).toBe('parked');
    }
    expect((await rowOf(database.db, id)).status).toBe(status);
    expect(await cancelSubmission(database.db, entered.submissionId, entered.account)).toEqual({ ok: true, attemptCost: 'returned' });
    const row = await rowOf(database.db, id);
    expect(row).toMatchObject({ status: 'done', outcome: 'cancelled', lease_holder: null, waiting: null, score: null });
    expect((await eventsOf(database.db, id)).at(-1)).toMatchObject({ kind: 'status', status: 'done', outcome: 'cancelled' });
  });

  it('costs the attempt once a model was called, and fences the worker off', async () => {
    const entered = await submit(database.db, blobs);
    const lease = await toRunning(database.db, entered.evaluationId);
    await draw(lease);
    expect(await cancel(database.db, entered.evaluationId, entered.account)).toEqual({ ok: true, attemptCost: 'spent' });
    expect(await recordCases(database.db, lease, [resultOf('p0')])).toBe(false);
    expect(await recordSplit(database.db, lease, 'public', 'started', 4)).toBe(false);
    expect(await draw(lease)).toMatchObject({ calls: 0 });
  });

  it('costs the attempt once a result was shown, though no model was called: free looks would be free probes', async () => {
    const entered = await submit(database.db, blobs);
    const lease = await toRunning(database.db, entered.evaluationId);
    await recordCases(database.db, lease, [resultOf('p0')]);
    expect(await cancel(database.db, entered.evaluationId, entered.account)).toEqual({ ok: true, attemptCost: 'spent' });
  });

  it('is refused to others, twice, and for what there is not', async () => {
    const mine = await submit(database.db, blobs);
    const other = await submit(database.db, blobs, { participant: 'another' });
    expect(await cancel(database.db, mine.evaluationId, other.account)).toMatchObject({ ok: false, code: 'not_yours' });
    expect(await cancel(database.db, mine.evaluationId, mine.account)).toMatchObject({ ok: true });
    expect(await cancel(database.db, mine.evaluationId, mine.account)).toMatchObject({ ok: false, code: 'already_done' });
    expect(await cancel(database.db, mine.submissionId, mine.account)).toMatchObject({ ok: false, code: 'unknown_evaluation' });
    expect(await cancelSubmission(database.db, mine.evaluationId, mine.account)).toMatchObject({ ok: false, code: 'unknown_evaluation' });
  });
});
