import { sql } from 'kysely';
import type { Usage } from '../contracts/target.ts';
import type { Db } from './db/client.ts';

/** What the public cases of an evaluation used so far. Judges are not in it: they are the sponsor's cost, and would tell how a case is judged. */
export async function publicUsage(db: Db, evaluationId: string): Promise<Usage> {
  const { rows } = await sql<{ calls: string; input_tokens: string; output_tokens: string; cost_micros: string }>`
    select coalesce(sum(calls), 0)::text as calls, coalesce(sum(input_tokens), 0)::text as input_tokens,
      coalesce(sum(output_tokens), 0)::text as output_tokens, coalesce(sum(cost_micros), 0)::text as cost_micros
    from case_result where evaluation_id = ${evaluationId} and split = 'public'`.execute(db);
  const row = rows[0];
  return {
    calls: Number(row?.calls ?? 0),
    inputTokens: Number(row?.input_tokens ?? 0),
    outputTokens: Number(row?.output_tokens ?? 0),
    costMicros: row?.cost_micros ?? '0',
  };
}
