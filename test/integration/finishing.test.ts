import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { showCase, listCases } from '../../domain/case-views.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import { finish, finishWithout } from '../../domain/finishing.ts';
import { claim, type Lease } from '../../domain/leases.ts';
import { recordCases } from '../../domain/recording.ts';
import { evaluationSeed, seedCommitment } from '../../domain/seeds.ts';
import { listStandings } from '../../domain/standings.ts';
import { workOf } from '../../domain/work.ts';
import {
  eventsOf,
  exchangeOf,
  installation,
  letLeaseRunOut,
  memoryBlobs,
  publish,
  resultHash,
  resultOf,
  rowOf,
  submit,
  toRunning,
  toVerifying,
  usage,
  verdictOf,
} from '../setup/records.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

let database: TestDatabase;
const blobs = memoryBlobs();
beforeAll(async () => {
  database = await testDatabase();
  await publish(database.db, blobs);
});
afterAll(() => database[Symbol.asyncDispose]());

const verifying = async (given: Parameters<typeof submit>[2] = {}, caseIds: string[] = ['p0']): Promise<Lease> => {
  const running = await toRunning(database.db, (await submit(database.db, blobs, given)).evaluationId);
  await recordCases(
    database.db,
    running,
    caseIds.map((id) => resultOf(id)),
  );
  return toVerifying(database.db, running);
};
const done = { resultHash, usage, simulated: true };

describe('finish', () => {
  it('sets verdict, seed and cost, tells it, and ends the lease', async () => {
    const lease = await verifying();
    const id = lease.evaluationId;
    const before = (await showEvaluation(database.db, id))!;
    expect(before).toMatchObject({ seed: null, score: null, metrics: {}, attemptCost: 'open', usage: { calls: 2 } });
    const verdict = verdictOf(0.75, [0.4, 0.9]);
    expect(await finish(database.db, lease, { verdict, ...done })).toBe(true);
    const view = (await showEvaluation(database.db, id))!;
    expect(view).toMatchObject({
      status: 'done',
      outcome: 'pass',
      score: 0.75,
      interval: [0.4, 0.9],
      rounded: false,
      usage,
      resultHash,
      attemptCost: 'spent',
    });
    expect(view.metrics).toEqual(verdict.metrics);
    expect(view.seed).toBe(evaluationSeed(installation, id));
    expect(seedCommitment(view.seed!)).toBe(before.seedCommitment);
    expect((await eventsOf(database.db, id)).slice(-2)).toEqual([
      { kind: 'verdict', outcome: 'pass', score: 0.75, interval: [0.4, 0.9] },
      { kind: 'status', status: 'done', outcome: 'pass', reason: null },
    ]);
    expect(await finish(database.db, lease, { verdict: verdictOf(1), ...done })).toBe(false);
  });

  it('shows of hidden cases a rounded score alone, in view and events', async () => {
    const lease = await verifying({ phase: 'final' }, ['p0', 'p1', 'h0']);
    const verdict = verdictOf(0.7142857, [0.358, 0.917], {
      outcome: 'invalid',
      reason: { code: 'gate', faultOf: 'participant', message: 'h0 broke it', advice: '-' },
    });
    await finish(database.db, lease, { verdict, ...done });
    const view = (await showEvaluation(database.db, lease.evaluationId))!;
    expect(view).toMatchObject({ score: 0.71, interval: [0.35, 0.92], rounded: true, resultHash: null, usage: { calls: 4 } });
    const everything = JSON.stringify([
      view,
      await eventsOf(database.db, lease.evaluationId),
      await listCases(database.db, lease.evaluationId, { limit: 100 }),
    ]);
    expect(everything).not.toMatch(/7142857|h0|broke/);
  });

  it('says only pass or fail of a phase with holdout cases', async () => {
    const lease = await verifying({ phase: 'confirmation', participant: 'confirmed' }, ['o0']);
    await finish(database.db, lease, { verdict: verdictOf(0.9), ...done });
    expect(await showEvaluation(database.db, lease.evaluationId)).toMatchObject({
      outcome: 'pass',
      score: null,
      metrics: {},
      criteria: [],
    });
  });

  it('gives an error no score, no cases and the attempt back', async () => {
    const lease = await verifying();
    expect(await finish(database.db, lease, { verdict: verdictOf(0.75, [0.5, 0.9], { outcome: 'error' }), ...done })).toBe(true);
    expect(await rowOf(database.db, lease.evaluationId)).toMatchObject({
      outcome: 'error',
      score: null,
      result_hash: null,
      attempt_cost: 'returned',
    });
    expect(await showEvaluation(database.db, lease.evaluationId)).toMatchObject({ score: null, metrics: {}, criteria: [] });
    expect(await listCases(database.db, lease.evaluationId, { limit: 10 })).toEqual({ ok: true, items: [], nextCursor: null });
    expect(await showCase(database.db, blobs, lease.evaluationId, 'p0', 0)).toBeNull();
  });

  it('is refused to every stage but verification', async () => {
    const running = await toRunning(database.db, (await submit(database.db, blobs)).evaluationId);
    await expect(finish(database.db, running, { verdict: verdictOf(1), ...done })).rejects.toThrow('only verification');
  });

  it('refuses a pass without a score or a hash', async () => {
    const lease = await verifying();
    await expect(finish(database.db, lease, { ...done, verdict: verdictOf(1, null, { score: null }) })).rejects.toThrow(
      'scored_outcomes_have_score',
    );
    await expect(finish(database.db, lease, { ...done, verdict: verdictOf(1), resultHash: null })).rejects.toThrow(
      'scored_outcomes_have_score',
    );
    expect((await rowOf(database.db, lease.evaluationId)).status).toBe('verifying');
  });

  it('writes nothing, not even a standing, when the lease is lost', async () => {
    const lease = await verifying({ participant: 'too late' });
    await letLeaseRunOut(database.db, lease.evaluationId);
    expect(await finish(database.db, lease, { verdict: verdictOf(1), ...done })).toBe(false);
    expect(await finishWithout(database.db, lease, 'invalid', { code: 'x', faultOf: 'participant', message: 'm', advice: 'a' })).toBe(
      false,
    );
    expect((await rowOf(database.db, lease.evaluationId)).status).toBe('verifying');
    const standings = await listStandings(database.db, 'guess-the-word', { limit: 100 });
    expect(standings?.ok && standings.items.map((row) => row.participant)).not.toContain('too late');
  });

  it('leaves a done evaluation as it is, whoever asks', async () => {
    const lease = await verifying();
    await finish(database.db, lease, { verdict: verdictOf(0.2), ...done });
    for (const change of ["outcome = 'pass'", 'score = 1', "status = 'queued'", 'fencing = fencing + 1', 'progress_done = 0, attempt = 3'])
      await expect(database.pool.query(`update evaluation set ${change} where id = $1`, [lease.evaluationId])).rejects.toThrow(
        'cannot change',
      );
  });
});

describe('finishWithout', () => {
  it('ends at screening with a reason in full and without a result', async () => {
    const { evaluationId } = await submit(database.db, blobs, { phase: 'final' });
    const lease = (await claim(database.db, evaluationId, { from: ['received'], to: 'screening', workerId: 's' }))!;
    const reason = {
      code: 'invalid_submission',
      faultOf: 'participant',
      message: 'answers/key 0: must be a string',
      advice: 'Mend it.',
    } as const;
    expect(await finishWithout(database.db, lease, 'invalid', reason)).toBe(true);
    const view = await showEvaluation(database.db, evaluationId);
    expect(view).toMatchObject({ status: 'done', outcome: 'invalid', reason, score: null, attemptCost: 'spent', startedAt: null });
    expect((await eventsOf(database.db, evaluationId)).at(-1)).toMatchObject({ status: 'done', reason });
  });
});

describe('case views', () => {
  it('list public cases with key and grades, page by page', async () => {
    const lease = await verifying({ phase: 'final' }, ['p2', 'p0', 'p1', 'h0']);
    const first = await listCases(database.db, lease.evaluationId, { limit: 2 });
    if (!first?.ok) throw new Error('no page');
    expect(first.items.map((one) => [one.caseId, one.key])).toEqual([
      ['p0', 'key 0'],
      ['p1', 'key 1'],
    ]);
    expect(first.items[0]?.grades).toEqual(resultOf('p0').grades);
    const second = await listCases(database.db, lease.evaluationId, { limit: 2, cursor: first.nextCursor! });
    expect(second).toMatchObject({ ok: true, nextCursor: null, items: [{ caseId: 'p2' }] });
    expect(await listCases(database.db, lease.evaluationId, { limit: 2, cursor: 'x' })).toMatchObject({ ok: false, code: 'bad_cursor' });
    expect(await listCases(database.db, lease.evaluationId.replace(/^./, 'f'), { limit: 2 })).toBeNull();
  });

  it('show input, transcript and log of a public case and nothing of a hidden one', async () => {
    const running = await toRunning(database.db, (await submit(database.db, blobs, { phase: 'final' })).evaluationId);
    const transcript = [exchangeOf(0), exchangeOf(1)];
    const transcriptHash = await blobs.put(Buffer.from(JSON.stringify(transcript)));
    const logHash = await blobs.put(Buffer.from('printed'));
    await recordCases(database.db, running, [resultOf('p0', { transcriptHash, logHash }), resultOf('h0', { transcriptHash, logHash })]);
    expect(await showCase(database.db, blobs, running.evaluationId, 'p0', 0)).toMatchObject({
      input: { hint: 0 },
      transcript,
      log: 'printed',
      case: { hasLog: true },
    });
    expect(await showCase(database.db, blobs, running.evaluationId, 'h0', 0)).toBeNull();
    expect(await showCase(database.db, blobs, running.evaluationId, 'p0', 1)).toBeNull();
  });
});

describe('workOf', () => {
  it('reads what a stage needs, and throws for what there is not', async () => {
    const { evaluationId, submissionId } = await submit(database.db, blobs);
    const work = await workOf(database.db, evaluationId);
    expect(work).toMatchObject({ evaluationId, phase: 'development', seed: evaluationSeed(installation, evaluationId) });
    expect(new TextDecoder().decode((await blobs.get(work.contentHash))!)).toBe('{"answers":{"key 0":"word"},"kind":"answers"}');
    await expect(workOf(database.db, submissionId)).rejects.toThrow('no evaluation');
  });
});
