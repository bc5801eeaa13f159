import { sql } from 'kysely';
import { leaseMs, type Need } from '../contracts/queue.ts';
import type { Split } from '../contracts/rubric.ts';
import type { Status } from '../contracts/status.ts';
import type { Db } from './db/client.ts';
import { appendEvents } from './events/append.ts';
import { park } from './parking.ts';
import { workerLost } from './reasons.ts';
import { mayGo, stageOf, stageStates } from './states.ts';
import { inTransaction, type Trx } from './transaction.ts';

/*
 * Who may write to an evaluation. A worker claims the row: compare-and-set of the status, a fencing token one higher, a
 * lease that ends at a time of the database's clock. Every later write takes the row's lock through `hold`, which finds
 * nothing unless token, holder and time still fit, and happens in the same transaction. So a worker that was
 * stopped past its lease and wakes up writes nothing, whether or not another one has taken over, and no two
 * clocks are ever compared. `clock_timestamp()`, not `now()`: a transaction that waited for the lock must not judge the
 * lease by the time it began.
 *
 * A worker that dies keeps its lease until it ends; then whoever gets the message again takes over in the same stage,
 * from the last checkpoint. A submission that kills every worker would go round for ever, so leases lost in a row
 * without one more case recorded are counted, and the evaluation is parked at `maxLostLeases`.
 */

export interface Lease {
  readonly evaluationId: string;
  readonly fencing: string;
  readonly workerId: string;
}

export const maxLostLeases = 5;

const leaseEnd = sql<Date>`clock_timestamp() + ${leaseMs} * interval '1 millisecond'`;

interface Claim {
  from: Status[];
  to: Status;
  workerId: string;
  /** What the worker was asked to serve: a message in the wrong queue must not bring work that it may not do. */
  need?: Need;
}

/**
 * Takes an evaluation that waits in one of `from`, or whose lease in the stage of `to` has run out, and puts it to `to`.
 * `null`: somebody else has it, it is not due yet, or it is elsewhere; nothing to do then.
 */
export function claim(db: Db, id: string, wanted: Claim): Promise<Lease | null> {
  return inTransaction(db, async (trx) => {
    const before = await lockClaimable(trx, id, wanted);
    if (before === null) return null;
    if (before.takenOver && before.lostLeases + 1 >= maxLostLeases) {
      await park(trx, id, { from: before.status, last: workerLost });
      return null;
    }
    const { fencing } = await trx
      .updateTable('evaluation')
      .set((eb) => ({
        status: wanted.to,
        fencing: eb('fencing', '+', '1'),
        lease_holder: wanted.workerId,
        lease_until: leaseEnd,
        lost_leases: eb('lost_leases', '+', before.takenOver ? 1 : 0),
        next_attempt_at: null,
        waiting: null,
        waiting_since: null,
        deadline_at: null,
        resent: 0,
        resent_at: null,
        ...(wanted.to === 'running' ? { started_at: sql<Date>`coalesce(started_at, clock_timestamp())` } : {}),
      }))
      .where('id', '=', id)
      .returning('fencing')
      .executeTakeFirstOrThrow();
    if (before.takenOver) await markBudgetCrashed(trx, id);
    if (before.status !== wanted.to) await appendEvents(trx, id, [{ kind: 'status', status: wanted.to, outcome: null, reason: null }]);
    return { evaluationId: id, fencing, workerId: wanted.workerId };
  });
}

async function lockClaimable(
  trx: Trx,
  id: string,
  { from, to, need }: Claim,
): Promise<{ status: Status; takenOver: boolean; lostLeases: number } | null> {
  const stage = stageOf(to);
  if (stage === null || !stageStates[stage].leased.includes(to)) throw new Error(`nothing can be claimed into ${to}`);
  for (const status of from) if (status !== to && !mayGo(status, to)) throw new Error(`an evaluation cannot go from ${status} to ${to}`);
  const { rows } = await sql<{ status: Status; taken_over: boolean; lost_leases: number }>`
    select status, lease_holder is not null as taken_over, lost_leases from evaluation
    where id = ${id} and (${need ?? null}::text is null or need = ${need ?? null}) and (
      (status = any(${from}) and lease_holder is null and (next_attempt_at is null or next_attempt_at <= clock_timestamp()))
      or (status = any(${[...stageStates[stage].leased]}) and lease_until <= clock_timestamp())
    )
    for no key update`.execute(trx);
  const row = rows[0];
  return row === undefined ? null : { status: row.status, takenOver: row.taken_over, lostLeases: row.lost_leases };
}

/** What the dead worker had drawn stays spent; see `budgets.ts` for what happens when the rest is too little. */
async function markBudgetCrashed(trx: Trx, id: string): Promise<void> {
  await trx
    .updateTable('evaluation_budget')
    .set({ crashed: true })
    .where('evaluation_id', '=', id)
    .where('drawn_calls', '>', '0')
    .execute();
}

/** Makes the lease last `leaseMs` from now. `false`: it is lost, and whoever held it must stop. */
export async function renew(db: Db, lease: Lease): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('evaluation')
    .set({ lease_until: leaseEnd })
    .where('id', '=', lease.evaluationId)
    .where('fencing', '=', lease.fencing)
    .where('lease_holder', '=', lease.workerId)
    .where(sql<boolean>`lease_until > clock_timestamp()`)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export interface Held {
  status: Status;
  splits: Split[];
  hiddenRounding: number;
  attempt: number;
  finishedSplits: Split[];
  casesRan: boolean;
}

/**
 * Locks the evaluation's row until the end of the transaction, if the lease is still good. Everything a lease holder
 * writes comes after this, in the same transaction. `null`: the lease is lost, write nothing.
 */
export async function hold(trx: Trx, lease: Lease): Promise<Held | null> {
  const { rows } = await sql<{
    status: Status;
    splits: Split[];
    hidden_rounding: number;
    attempt: number;
    finished_splits: Split[];
    started_at: Date | null;
  }>`
    select status, splits, hidden_rounding, attempt, finished_splits, started_at from evaluation
    where id = ${lease.evaluationId} and fencing = ${lease.fencing} and lease_holder = ${lease.workerId} and lease_until > clock_timestamp()
    for no key update`.execute(trx);
  const row = rows[0];
  if (row === undefined) return null;
  return {
    status: row.status,
    splits: row.splits,
    hiddenRounding: row.hidden_rounding,
    attempt: row.attempt,
    finishedSplits: row.finished_splits,
    casesRan: row.started_at !== null,
  };
}
