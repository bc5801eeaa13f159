import { sql } from 'kysely';
import type { Db } from './db/client.ts';

/** How many of the shipped samples are judged. A parked one counts: only an operator can move it. */
export async function samplesJudged(db: Db): Promise<{ done: number; of: number }> {
  const row = await db
    .selectFrom('evaluation as e')
    .innerJoin('submission as s', 's.id', 'e.submission_id')
    .select([sql<number>`count(*)::int`.as('of'), sql<number>`(count(*) filter (where e.status in ('done', 'parked')))::int`.as('done')])
    .where('s.sample', '=', true)
    .executeTakeFirstOrThrow();
  return { done: row.done, of: row.of };
}
