import { sql } from 'kysely';
import { StoredEvent } from '../../contracts/events.ts';
import type { Db } from '../db/client.ts';

/** Up to `limit` events of an evaluation with a sequence number above `afterSeq`, oldest first. */
export async function readEvents(db: Db, evaluationId: string, afterSeq: number, limit: number): Promise<StoredEvent[]> {
  const { rows } = await sql<{ seq: string; at: Date; data: unknown }>`
    select seq, at, data from event where evaluation_id = ${evaluationId} and seq > ${afterSeq} order by seq limit ${limit}`.execute(db);
  return rows.map((row) => StoredEvent.parse({ evaluationId, seq: Number(row.seq), at: row.at.toISOString(), event: row.data }));
}
