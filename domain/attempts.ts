import { sql } from 'kysely';
import { retryPolicy } from '../contracts/queue.ts';
import type { Reason } from '../contracts/status.ts';
import { writeOffDraws } from './budgets.ts';
import type { Db } from './db/client.ts';
import { storableJson } from './db/storable-text.ts';
import { appendEvents } from './events/append.ts';
import { hold, type Lease } from './leases.ts';
import { park } from './parking.ts';
import { shownReason, waitsForRetry } from './reasons.ts';
import { stageOf, stageStates } from './states.ts';
import { inTransaction, type Trx } from './transaction.ts';

/** How long to wait after attempt number `attempt` (from 1) has failed, in milliseconds. */
export const retryDelayMs = (attempt: number): number => retryPolicy.firstDelayMs * retryPolicy.factor ** (attempt - 1);

/**
 * Ends an attempt that the platform, a transport or a grader broke. Recorded cases stay: the next attempt goes on from
 * them. After the last attempt the evaluation is parked for an operator. `reason` is stored whole for operators and
 * shown as the phase's feedback allows. `lost`: the lease was not good any more and nothing was written.
 */
export function failAttempt(db: Db, lease: Lease, reason: Reason): Promise<'retry' | 'parked' | 'lost'> {
  return inTransaction(db, async (trx) => {
    const held = await hold(trx, lease);
    if (held === null) return 'lost';
    if (held.attempt >= retryPolicy.attempts) {
      await park(trx, lease.evaluationId, { from: held.status, last: reason });
      return 'parked';
    }
    const stage = stageOf(held.status);
    if (stage === null) throw new Error(`an evaluation that is ${held.status} has no attempt to fail`);
    const home = stageStates[stage].home;
    const shown = shownReason(reason, held.splits, held.casesRan);
    const wait = waitsForRetry(shown);
    const nextAttemptAt = await scheduleRetry(trx, lease.evaluationId, { home, attempt: held.attempt, reason, wait });
    if (stage === 'evaluate') await writeOffDraws(trx, lease.evaluationId);
    await appendEvents(trx, lease.evaluationId, [
      { kind: 'retry', attempt: held.attempt + 1, of: retryPolicy.attempts, reason: shown, nextAttemptAt: nextAttemptAt.toISOString() },
      { kind: 'status', status: home, outcome: null, reason: wait },
    ]);
    return 'retry';
  });
}

interface Retry {
  home: string;
  attempt: number;
  reason: Reason;
  wait: Reason;
}

async function scheduleRetry(trx: Trx, id: string, { home, attempt, reason, wait }: Retry): Promise<Date> {
  const row = await trx
    .updateTable('evaluation')
    .set({
      status: home,
      // Verifying waits and works in one status, so the trigger does not see this step.
      status_since: sql<Date>`clock_timestamp()`,
      lease_holder: null,
      lease_until: null,
      attempt: attempt + 1,
      lost_leases: 0,
      next_attempt_at: sql<Date>`clock_timestamp() + ${retryDelayMs(attempt)} * interval '1 millisecond'`,
      reason: JSON.stringify(storableJson(reason)),
      waiting: JSON.stringify(storableJson(wait)),
      waiting_since: sql<Date>`clock_timestamp()`,
    })
    .where('id', '=', id)
    .returning('next_attempt_at')
    .executeTakeFirstOrThrow();
  return row.next_attempt_at!;
}
