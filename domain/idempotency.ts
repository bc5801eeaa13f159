import { sql } from 'kysely';
import type { Json } from '../contracts/json.ts';
import type { Db } from './db/client.ts';
import type { Trx } from './transaction.ts';

/*
 * A request that a client sends again because it never saw the answer must not act twice. The key is stored in the
 * transaction that acts, so there is no moment at which one exists without the other, and no half-done state to clean up:
 * a second request with the same key waits for the first one's commit, then reads what it answered.
 */

export interface IdempotencyKey {
  accountId: string;
  /** Chosen by the client, at most 255 characters. */
  key: string;
  /** SHA-256 of what is asked for: a key says "the same request again", so another request under it is refused. */
  requestHash: string;
}

export type Remembered<T> = { kind: 'new'; answer: T } | { kind: 'again'; answer: T } | { kind: 'other_request' };

/**
 * Runs `act` once per key and remembers its answer. Call it inside the transaction that acts: when that fails, the key is
 * gone with it and the request may be tried again.
 */
export async function once<T extends Json>(
  trx: Trx,
  { accountId, key, requestHash }: IdempotencyKey,
  act: () => Promise<T>,
): Promise<Remembered<T>> {
  const inserted = await trx
    .insertInto('idempotency')
    .values({ account_id: accountId, key, request_hash: requestHash })
    .onConflict((conflict) => conflict.columns(['account_id', 'key']).doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows === 0n) {
    const known = await trx
      .selectFrom('idempotency')
      .select(['request_hash', 'response'])
      .where('account_id', '=', accountId)
      .where('key', '=', key)
      .executeTakeFirstOrThrow();
    return known.request_hash === requestHash ? { kind: 'again', answer: known.response as T } : { kind: 'other_request' };
  }
  const answer = await act();
  await trx
    .updateTable('idempotency')
    .set({ response: JSON.stringify(answer) })
    .where('account_id', '=', accountId)
    .where('key', '=', key)
    .execute();
  return { kind: 'new', answer };
}

/** Forgets keys older than `olderThanMs`; returns how many. Clients retry within minutes, so a day is plenty. */
export async function forgetOldKeys(db: Db, olderThanMs: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('idempotency')
    .where(sql<boolean>`created_at < now() - ${olderThanMs} * interval '1 millisecond'`)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
