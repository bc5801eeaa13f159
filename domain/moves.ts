import type { Need } from '../contracts/queue.ts';
import { isLeased, type Reason, type Status } from '../contracts/status.ts';
import type { Db } from './db/client.ts';
import { storableJson } from './db/storable-text.ts';
import { appendEvents } from './events/append.ts';
import { hold, type Lease } from './leases.ts';
import { mayGo, stageOf } from './states.ts';
import { inTransaction } from './transaction.ts';

/** What a step may also decide. */
export interface MovePatch {
  /** Which worker can run it: screening's decision. */
  need?: Need;
  /** Why the submission could not be opened; verification makes `invalid` of it. */
  refusal?: Reason;
}

/**
 * Takes a step of the state machine under a lease. The lease goes on while the stage does; otherwise it is given up,
 * and the caller publishes the message of the next stage after this has returned. `false`: the lease is lost, nothing
 * was written. Throws on a step the machine does not have, and on `done`, which `finish` does.
 */
export function moveTo(db: Db, lease: Lease, status: Status, { need, refusal }: MovePatch = {}): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const held = await hold(trx, lease);
    if (held === null) return false;
    if (status === 'done' || status === 'parked' || !mayGo(held.status, status)) {
      throw new Error(`moveTo cannot take an evaluation from ${held.status} to ${status}`);
    }
    const keepsLease = isLeased(status) && stageOf(status) === stageOf(held.status);
    await trx
      .updateTable('evaluation')
      .set({
        status,
        ...(need === undefined ? {} : { need }),
        ...(refusal === undefined ? {} : { refusal: JSON.stringify(storableJson(refusal)) }),
        ...(keepsLease ? {} : { lease_holder: null, lease_until: null }),
      })
      .where('id', '=', lease.evaluationId)
      .execute();
    await appendEvents(trx, lease.evaluationId, [{ kind: 'status', status, outcome: null, reason: null }]);
    return true;
  });
}
