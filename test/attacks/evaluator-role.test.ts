import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SandboxRecord } from '../../contracts/doctor.ts';
import { retryPolicy } from '../../contracts/queue.ts';
import { failAttempt } from '../../domain/attempts.ts';
import { allotment } from '../../domain/budgets.ts';
import { rubricVersion } from '../../domain/challenges.ts';
import { checkpoint } from '../../domain/checkpoint.ts';
import { type Database, openDatabase } from '../../domain/db/client.ts';
import { ensureEvaluatorRole } from '../../domain/db/evaluator-role.ts';
import { finish, finishWithout } from '../../domain/finishing.ts';
import { claim, renew } from '../../domain/leases.ts';
import { moveTo } from '../../domain/moves.ts';
import { recordCalls, recordCases, recordSandbox, recordSplit } from '../../domain/recording.ts';
import { workOf } from '../../domain/work.ts';
import { heartbeat, removeWorker } from '../../domain/workers.ts';
import {
  exchangeOf,
  fault,
  letLeaseRunOut,
  makeRetryDue,
  memoryBlobs,
  publish,
  resultHash,
  resultOf,
  rowOf,
  submit,
  toQueued,
  usage,
  verdictOf,
} from '../setup/records.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

/*
 * A machine that runs strangers' programs is taken over: what does its database role give the attacker? Everything the
 * evaluate stage does must work under it, and nothing that decides, ranks or identifies.
 */

let owner: TestDatabase;
let evaluator: Database;
const blobs = memoryBlobs();
beforeAll(async () => {
  owner = await testDatabase();
  await publish(owner.db, blobs);
  evaluator = openDatabase(await ensureEvaluatorRole(owner.url, randomBytes(16).toString('hex')), {
    maxConnections: 4,
    name: 'test evaluator',
  });
});
afterAll(async () => {
  await evaluator[Symbol.asyncDispose]();
  await owner[Symbol.asyncDispose]();
});

const sandboxRecord: SandboxRecord = {
  ...{
    split: 'public' as const,
    workerId: '0193b3a0-0000-7000-8000-000000000000',
    driver: 'docker' as const,
    runtime: 'runc',
    imageId: 'sha256:1',
  },
  ...{ profileSha256: null, engineVersion: '20.10.24', acceptedRisks: ['engine-version'] },
};
const machineSaid = { checkedAt: null, engineVersion: null, bountyWork: false, acceptedRisks: [], passed: 0, failed: [] };

const queued = async (): Promise<string> => {
  const { evaluationId } = await submit(owner.db, blobs, { phase: 'final' });
  await toQueued(owner.db, evaluationId);
  return evaluationId;
};
const claimed = async (id: string) =>
  (await claim(evaluator.db, id, { from: ['queued', 'running', 'grading'], to: 'running', workerId: 'host' }))!;

describe('the evaluator role', () => {
  it('can do the whole evaluate stage', async () => {
    const id = await queued();
    const lease = await claimed(id);
    expect(await renew(evaluator.db, lease)).toBe(true);
    const work = await workOf(evaluator.db, id);
    expect(await rubricVersion(evaluator.db, work.rubricHash)).not.toBeNull();
    const source = allotment(evaluator.db, lease, { calls: 9, inputTokens: 9, outputTokens: 9, costMicros: 9 }, 'targets');
    expect(await source.draw({ calls: 2, inputTokens: 2, outputTokens: 2, costMicros: 2n })).toMatchObject({ calls: 2 });
    await source.giveBack({ calls: 1, inputTokens: 1, outputTokens: 1, costMicros: 1n });
    expect(await recordSplit(evaluator.db, lease, 'public', 'started', 4)).toBe(true);
    expect(await recordSandbox(evaluator.db, lease, sandboxRecord)).toBe(true);
    const artifacts = [{ path: 'a.txt', sha256: 'c'.repeat(64), bytes: 1 }];
    const failed = resultOf('p1', { end: 'error', grades: [], score: null });
    expect(await recordCases(evaluator.db, lease, [resultOf('p0', { artifacts }), failed, resultOf('h0')])).toBe(true);
    expect(await recordCases(evaluator.db, lease, [resultOf('p1')])).toBe(true);
    expect(await recordCalls(evaluator.db, lease, [{ ref: { caseId: 'p0', split: 'public', trial: 0 }, exchange: exchangeOf(0) }])).toBe(
      true,
    );
    const judged = exchangeOf(1, { askedBy: 'judge', cached: true });
    expect(await recordCalls(evaluator.db, lease, [{ ref: { caseId: 'p0', split: 'public', trial: 0 }, exchange: judged }])).toBe(true);
    expect(await recordSplit(evaluator.db, lease, 'public', 'finished', 4)).toBe(true);
    expect(await checkpoint(evaluator.db, id)).toHaveLength(3);
    expect(await moveTo(evaluator.db, lease, 'grading')).toBe(true);
    expect(await moveTo(evaluator.db, lease, 'verifying', { refusal: fault })).toBe(true);
    expect((await workOf(owner.db, id)).refusal).toEqual(fault);
    const host = { id, name: 'host', stages: ['evaluate'], needs: ['none'] as const, unavailable: [], doctor: machineSaid };
    await heartbeat(evaluator.db, host);
    await heartbeat(evaluator.db, host);
    await removeWorker(evaluator.db, host.id);
  });

  it('can fail, hand back, take over and park', async () => {
    const id = await queued();
    expect(await moveTo(evaluator.db, await claimed(id), 'queued')).toBe(true);
    await claimed(id);
    await letLeaseRunOut(owner.db, id);
    for (let attempt = 1; attempt < retryPolicy.attempts; attempt++) {
      expect(await failAttempt(evaluator.db, await claimed(id), fault)).toBe('retry');
      await makeRetryDue(owner.db, id);
    }
    expect(await failAttempt(evaluator.db, await claimed(id), fault)).toBe('parked');
    expect((await rowOf(owner.db, id)).status).toBe('parked');
  });

  it('cannot end an evaluation or give it a verdict', async () => {
    const id = await queued();
    const lease = await claimed(id);
    await expect(finish(evaluator.db, lease, { verdict: verdictOf(1), resultHash, usage, simulated: false })).rejects.toThrow(
      'only verification',
    );
    await expect(finishWithout(evaluator.db, lease, 'invalid', fault)).rejects.toThrow('permission denied');
    for (const column of [
      'outcome',
      'score',
      'score_lower',
      'verdict',
      'result_hash',
      'seed',
      'seed_commitment',
      'done_at',
      'usage',
      'simulated',
      'submission_id',
      'rubric_hash',
      'phase',
      'splits',
      'need',
      'progress_of',
    ])
      await expect(evaluator.pool.query(`update evaluation set ${column} = ${column} where id = $1`, [id]), column).rejects.toThrow(
        'permission denied',
      );
    await expect(
      evaluator.pool.query("update evaluation set status = 'done', lease_holder = null, lease_until = null where id = $1", [id]),
    ).rejects.toThrow();
    expect(await rowOf(owner.db, id)).toMatchObject({ status: 'running', outcome: null });
    await moveTo(evaluator.db, lease, 'verifying');
    await owner.pool.query("update evaluation set lease_holder = 'host', lease_until = now() + interval '1 minute' where id = $1", [id]);
    await expect(finish(evaluator.db, lease, { verdict: verdictOf(1), resultHash, usage, simulated: false })).rejects.toThrow(
      'permission denied',
    );
    expect(await rowOf(owner.db, id)).toMatchObject({ status: 'verifying', outcome: null });
  });

  it('cannot make steps of other stages', async () => {
    const { evaluationId } = await submit(owner.db, blobs);
    await expect(claim(evaluator.db, evaluationId, { from: ['received'], to: 'screening', workerId: 'host' })).rejects.toThrow(
      'cannot go from',
    );
    const id = await queued();
    const lease = await claimed(id);
    await failAttempt(evaluator.db, lease, fault);
    await owner.pool.query('update evaluation set next_attempt_at = null, waiting = null, waiting_since = null where id = $1', [id]);
    await owner.pool.query("update evaluation set status = 'running', lease_holder = 'x', lease_until = now() where id = $1", [id]);
    await owner.pool.query(
      "update evaluation set status = 'parked', parked_from = 'queued', lease_holder = null, lease_until = null where id = $1",
      [id],
    );
    await expect(evaluator.pool.query("update evaluation set status = 'queued', parked_from = null where id = $1", [id])).rejects.toThrow(
      'cannot go from parked',
    );
  });

  it('cannot change grades once it has handed them on', async () => {
    const id = await queued();
    const lease = await claimed(id);
    await recordCases(evaluator.db, lease, [
      resultOf('p0', { score: 0, grades: [{ criterion: 'right', grader: 'equals', status: 'graded', score: 0, evidence: {} }] }),
    ]);
    await moveTo(evaluator.db, lease, 'verifying');
    await expect(evaluator.pool.query('update grade set score = 1 where evaluation_id = $1', [id])).rejects.toThrow('without the lease');
    await expect(evaluator.pool.query('update case_result set score = 1 where evaluation_id = $1', [id])).rejects.toThrow(
      'without the lease',
    );
    expect(await recordCases(evaluator.db, lease, [resultOf('p1')])).toBe(false);
    for (const table of ['case_result', 'grade', 'model_call', 'event', 'evaluation'])
      await expect(evaluator.pool.query(`delete from ${table}`), table).rejects.toThrow('permission denied');
  });

  it.each([
    'select * from account',
    'select * from standing',
    'select * from idempotency',
    'select * from challenge',
    'select account_id from submission',
    'select title from submission',
    'select * from schema_migration',
    'insert into standing select * from standing',
    "insert into account (id, name, kind) values (gen_random_uuid(), 'me', 'sample')",
    'update submission set kind = kind',
    "update rubric_version set readme = ''",
    'delete from rubric_version',
    'update evaluation_seed set seed = seed',
    "insert into evaluation_transition values ('running', 'received', true)",
    'truncate case_result cascade',
    'alter table evaluation disable trigger all',
    'create table mine (id int)',
    'set role postgres',
    "select pg_read_file('/etc/passwd')",
  ])('cannot run: %s', async (statement) => {
    await expect(evaluator.pool.query(statement)).rejects.toThrow(/permission denied|must be owner|does not exist/);
  });
});
