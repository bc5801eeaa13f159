import type { Transaction } from 'kysely';
import type { Db } from './db/client.ts';
import type { DB } from './db/schema.ts';

export type Trx = Transaction<DB>;

/** Runs `work` in the transaction `db` already is, or in one of its own: so that a caller can make several steps one. */
export function inTransaction<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db as Trx) : db.transaction().execute(work);
}
