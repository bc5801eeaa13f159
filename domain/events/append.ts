import { sql, type Transaction } from 'kysely';
import { EvaluationEvent } from '../../contracts/events.ts';
import { storableJson } from '../db/storable-text.ts';
import type { DB } from '../db/schema.ts';
import { eventChannel } from './channel.ts';

/*
 * Events are what a person following an evaluation sees. They live in one append-only table with the key
 * (evaluation_id, seq). `seq` is taken under the lock of the evaluation's row: with a serial, a transaction that drew 7
 * could commit after one that drew 8, and a reader who has seen 8 would never come back for 7. The notification
 * carries the id alone, is delivered at commit, and may get lost: readers read the table.
 */

/** Appends in order and returns the last sequence number. Throws if there is no such evaluation. */
export async function appendEvents(trx: Transaction<DB>, evaluationId: string, events: readonly EvaluationEvent[]): Promise<number> {
  const data = JSON.stringify(events.map((event) => storableJson(EvaluationEvent.parse(event))));
  const { rows } = await sql<{ last: string }>`
    with counter as (
      update evaluation set event_seq = event_seq + ${events.length}::bigint where id = ${evaluationId} returning event_seq as last
    ), stored as (
      insert into event (evaluation_id, seq, data)
      select ${evaluationId}::uuid, counter.last - ${events.length}::bigint + item.position, item.value
      from counter, jsonb_array_elements(${data}::jsonb) with ordinality as item(value, position)
    )
    select last, pg_notify(${eventChannel}, ${evaluationId}) from counter`.execute(trx);
  const last = rows[0]?.last;
  if (last === undefined) throw new Error(`there is no evaluation ${evaluationId} to append events to`);
  return Number(last);
}
