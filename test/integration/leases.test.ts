import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leaseMs } from '../../contracts/queue.ts';
import { Status } from '../../contracts/status.ts';
import { claim, maxLostLeases, renew } from '../../domain/leases.ts';
import { moveTo } from '../../domain/moves.ts';
import { unpark } from '../../domain/parking.ts';
import { recordCases } from '../../domain/recording.ts';
import { mayGo, transitions } from '../../domain/states.ts';
import {
  eventsOf,
  letLeaseRunOut,
  memoryBlobs,
  publish,
  resultOf,
  rowOf,
  runningAgain,
  submit,
  toQueued,
  toRunning,
} from '../setup/records.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

let database: TestDatabase;
const blobs = memoryBlobs();
beforeAll(async () => {
  database = await testDatabase({ maxConnections: 20 });
  await publish(database.db, blobs);
});
afterAll(() => database[Symbol.asyncDispose]());

const received = async () => (await submit(database.db, blobs)).evaluationId;

describe('claim', () => {
  it('gives an evaluation that 20 workers want at the same time to exactly one', async () => {
    // The first rounds only open connections, one after another; the race is in the later ones.
    for (let round = 0; round < 8; round++) {
      const id = await received();
      await toQueued(database.db, id);
      const leases = await Promise.all(
        Array.from({ length: 20 }, (_, i) => claim(database.db, id, { from: ['queued'], to: 'running', workerId: `w${i}` })),
      );
      const winners = leases.filter((lease) => lease !== null);
      expect(winners).toHaveLength(1);
      const row = await rowOf(database.db, id);
      expect(row).toMatchObject({ status: 'running', lease_holder: winners[0]!.workerId, fencing: winners[0]!.fencing, need: 'none' });
      expect(row.started_at).not.toBeNull();
      expect((await eventsOf(database.db, id)).map((event) => event.kind === 'status' && event.status)).toEqual([
        'received',
        'screening',
        'queued',
        'running',
      ]);
    }
  });

  it('gives nobody what came through the queue of another need', async () => {
    const id = await received();
    await toQueued(database.db, id);
    const wanted = { from: ['queued' as const], to: 'running' as const, workerId: 'w' };
    expect(await claim(database.db, id, { ...wanted, need: 'python-bounty' })).toBeNull();
    expect(await claim(database.db, id, { ...wanted, need: 'none' })).toMatchObject({ evaluationId: id });
  });

  it('gives a lease that ran out to exactly one heir', async () => {
    const id = await received();
    await toRunning(database.db, id);
    for (let round = 1; round < maxLostLeases; round++) {
      await letLeaseRunOut(database.db, id);
      const heirs = await Promise.all(
        Array.from({ length: 20 }, (_, i) => claim(database.db, id, { from: ['queued', 'running'], to: 'running', workerId: `w${i}` })),
      );
      expect(heirs.filter((lease) => lease !== null)).toHaveLength(1);
    }
  });

  it('takes nothing that is elsewhere, not due yet, or unknown', async () => {
    const id = await received();
    expect(await claim(database.db, id, { from: ['queued'], to: 'running', workerId: 'w' })).toBeNull();
    expect(await claim(database.db, '01890000-0000-7000-8000-000000000000', { from: ['queued'], to: 'running', workerId: 'w' })).toBeNull();
    await toQueued(database.db, id);
    await sql`update evaluation set next_attempt_at = now() + interval '1 hour' where id = ${id}`.execute(database.db);
    expect(await claim(database.db, id, { from: ['queued'], to: 'running', workerId: 'w' })).toBeNull();
  });

  it('refuses as a bug what is not a step of the state machine', async () => {
    const id = await received();
    await expect(claim(database.db, id, { from: ['received'], to: 'running', workerId: 'w' })).rejects.toThrow('cannot go from received');
    await expect(claim(database.db, id, { from: ['received'], to: 'queued', workerId: 'w' })).rejects.toThrow('nothing can be claimed');
  });

  it('takes over a lease that ran out, in the same stage only, with a higher token', async () => {
    const id = await received();
    const first = await toRunning(database.db, id);
    const again = { from: ['queued', 'running', 'grading'] as const, to: 'running' as const, workerId: 'second' };
    expect(await claim(database.db, id, { ...again, from: [...again.from] })).toBeNull();
    expect(await moveTo(database.db, first, 'grading')).toBe(true);
    await letLeaseRunOut(database.db, id);
    expect(await claim(database.db, id, { from: ['verifying'], to: 'verifying', workerId: 'verifier' })).toBeNull();
    const second = await claim(database.db, id, { ...again, from: [...again.from] });
    expect(Number(second?.fencing)).toBeGreaterThan(Number(first.fencing));
    expect(await rowOf(database.db, id)).toMatchObject({ status: 'running', lease_holder: 'second', lost_leases: 1 });
  });

  it('parks what loses lease after lease, and an operator can let it go on', async () => {
    const id = await received();
    await toRunning(database.db, id);
    for (let lost = 1; lost < maxLostLeases; lost++) {
      await letLeaseRunOut(database.db, id);
      expect(await claim(database.db, id, { from: ['queued'], to: 'running', workerId: `w${lost}` })).not.toBeNull();
    }
    await letLeaseRunOut(database.db, id);
    expect(await claim(database.db, id, { from: ['queued'], to: 'running', workerId: 'last' })).toBeNull();
    expect(await rowOf(database.db, id)).toMatchObject({
      status: 'parked',
      parked_from: 'queued',
      attempt_cost: 'returned',
      lease_holder: null,
    });
    expect(await unpark(database.db, id)).toBe('queued');
    expect(await unpark(database.db, id)).toBeNull();
    expect(await rowOf(database.db, id)).toMatchObject({ status: 'queued', lost_leases: 0, attempt: 1, attempt_cost: 'open' });
    await runningAgain(database.db, id);
  });

  it('does not count leases lost while cases are being recorded', async () => {
    const id = await received();
    await toRunning(database.db, id);
    await letLeaseRunOut(database.db, id);
    const lease = (await claim(database.db, id, { from: ['queued'], to: 'running', workerId: 'w' }))!;
    expect((await rowOf(database.db, id)).lost_leases).toBe(1);
    expect(await recordCases(database.db, lease, [resultOf('p0')])).toBe(true);
    expect((await rowOf(database.db, id)).lost_leases).toBe(0);
  });
});

describe('renew', () => {
  it('prolongs a lease by the clock of the database, and only a good one', async () => {
    const id = await received();
    const lease = await toRunning(database.db, id);
    await sql`update evaluation set lease_until = clock_timestamp() + interval '1 s' where id = ${id}`.execute(database.db);
    expect(await renew(database.db, lease)).toBe(true);
    const { rows } = await sql<{ left: number }>`
      select (extract(epoch from lease_until - clock_timestamp()) * 1000)::float8 as left from evaluation where id = ${id}`.execute(
      database.db,
    );
    expect(rows[0]!.left).toBeGreaterThan(leaseMs - 5_000);
    expect(await renew(database.db, { ...lease, workerId: 'another' })).toBe(false);
    expect(await renew(database.db, { ...lease, fencing: String(Number(lease.fencing) - 1) })).toBe(false);
  });

  it('does not bring back a lease that ran out, even if nobody has taken it', async () => {
    const id = await received();
    const lease = await toRunning(database.db, id);
    await letLeaseRunOut(database.db, id);
    expect(await renew(database.db, lease)).toBe(false);
    expect(await moveTo(database.db, lease, 'grading')).toBe(false);
    expect((await rowOf(database.db, id)).status).toBe('running');
  });
});

describe('moveTo', () => {
  it('keeps the lease inside a stage and gives it up at its end', async () => {
    const id = await received();
    const lease = await toRunning(database.db, id);
    expect(await moveTo(database.db, lease, 'grading')).toBe(true);
    expect((await rowOf(database.db, id)).lease_holder).toBe('runner');
    expect(await moveTo(database.db, lease, 'verifying')).toBe(true);
    expect(await rowOf(database.db, id)).toMatchObject({ status: 'verifying', lease_holder: null, lease_until: null });
    expect(await moveTo(database.db, lease, 'verifying')).toBe(false);
  });

  it('throws on a step that the machine does not have', async () => {
    const lease = await toRunning(database.db, await received());
    await expect(moveTo(database.db, lease, 'screening')).rejects.toThrow('from running to screening');
    await expect(moveTo(database.db, lease, 'done')).rejects.toThrow('from running to done');
    await expect(moveTo(database.db, lease, 'parked')).rejects.toThrow('from running to parked');
  });
});

describe('the database itself', () => {
  it('knows the same transitions as states.ts', async () => {
    const rows = await database.db.selectFrom('evaluation_transition').selectAll().execute();
    const stored = rows.map((row) => `${row.from_status} ${row.to_status}`).sort();
    const said = Object.entries(transitions).flatMap(([from, tos]) => tos.map((to) => `${from} ${to}`));
    expect(stored).toEqual(said.sort());
    for (const from of Status.options) expect(mayGo(from, from)).toBe(false);
  });

  it('refuses steps, tokens and states that cannot be', async () => {
    const id = await received();
    const set = (assignments: string) => database.pool.query(`update evaluation set ${assignments} where id = $1`, [id]);
    await expect(set("status = 'verifying', need = 'none'")).rejects.toThrow('cannot go from received to verifying');
    await expect(set("outcome = 'pass'")).rejects.toThrow('done_has_outcome');
    await expect(set("lease_holder = 'w', lease_until = now()")).rejects.toThrow('lease_only_where_work_is_done');
    await expect(set("lease_holder = 'w'")).rejects.toThrow('lease_is_whole');
    await expect(set("status = 'screening'")).rejects.toThrow('work_is_leased');
    await expect(set('fencing = -1')).rejects.toThrow('only grow');
    await expect(set('score = 1')).rejects.toThrow('unscored_outcomes_have_none');
    await expect(set("status = 'done', outcome = 'pass', done_at = now()")).rejects.toThrow(/scored_outcomes_have_score|seed_revealed/);
    await expect(set(`seed = '${'0'.repeat(64)}'`)).rejects.toThrow('seed_');
    await expect(set('progress_done = 99')).rejects.toThrow('progress_is_bounded');
    expect((await rowOf(database.db, id)).status).toBe('received');
  });

  it('keeps rubric versions, submissions and seeds as they are', async () => {
    await received();
    for (const table of ['rubric_version', 'submission', 'evaluation_seed']) {
      await expect(
        database.pool.query(
          `update ${table} set ${table === 'submission' ? "title = 'x'" : table === 'evaluation_seed' ? "seed = 'x'" : "readme = 'x'"}`,
        ),
      ).rejects.toThrow('immutable');
      await expect(database.pool.query(`delete from ${table}`)).rejects.toThrow('immutable');
    }
    for (const table of ['rubric_version', 'submission']) {
      await expect(database.pool.query(`truncate ${table} cascade`)).rejects.toThrow('immutable');
    }
  });
});
