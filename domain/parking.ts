import { sql } from 'kysely';
import type { Reason, Status } from '../contracts/status.ts';
import type { Db } from './db/client.ts';
import { storableJson } from './db/storable-text.ts';
import { appendEvents } from './events/append.ts';
import { parkedForOperator } from './reasons.ts';
import { stageOf, stageStates } from './states.ts';
import { inTransaction, type Trx } from './transaction.ts';

/**
 * Takes an evaluation out of the machine until an operator has looked. The caller holds the row's lock. The token
 * grows, so that a worker which still believes in its lease is out. `last` is why it came to this.
 */
export async function park(trx: Trx, id: string, { from, last }: { from: Status; last: Reason }): Promise<void> {
  const stage = stageOf(from);
  if (stage === null) throw new Error(`an evaluation that is ${from} cannot be parked`);
  const reason = parkedForOperator(last);
  await trx
    .updateTable('evaluation')
    .set((eb) => ({
      status: 'parked',
      parked_from: stageStates[stage].home,
      fencing: eb('fencing', '+', '1'),
      lease_holder: null,
      lease_until: null,
      next_attempt_at: null,
      reason: JSON.stringify(storableJson(last)),
      waiting: JSON.stringify(reason),
      waiting_since: sql<Date>`clock_timestamp()`,
      deadline_at: null,
      // The platform pays for the calls of attempts it broke: cancelling a parked evaluation stays free.
      first_call_at: null,
    }))
    .where('id', '=', id)
    .execute();
  await appendEvents(trx, id, [
    { kind: 'status', status: 'parked', outcome: null, reason },
    { kind: 'waiting', reason, deadlineAt: null },
  ]);
}

/**
 * Lets a parked evaluation go on where its stage starts, with all its attempts again. Returns the status it waits in, for
 * the caller to publish a message; `null` when it is not parked.
 */
export function unpark(db: Db, id: string): Promise<Status | null> {
  return inTransaction(db, async (trx) => {
    const row = await trx
      .updateTable('evaluation')
      .set((eb) => ({
        status: eb.ref('parked_from').$castTo<string>(),
        parked_from: null,
        attempt: 1,
        lost_leases: 0,
        reason: null,
        waiting: null,
        waiting_since: null,
      }))
      .where('id', '=', id)
      .where('status', '=', 'parked')
      .returning('status')
      .executeTakeFirst();
    if (row === undefined) return null;
    const status = row.status as Status;
    await appendEvents(trx, id, [{ kind: 'status', status, outcome: null, reason: null }]);
    return status;
  });
}
