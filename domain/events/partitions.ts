/** Anything that runs SQL: a pg client or pool. */
export interface Sql {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[]; rowCount: number | null }>;
}

const monthsAhead = 2;

/**
 * Makes the partitions of table `event` for this month and the next two, so that old months can be dropped or compacted
 * whole. The key is the evaluation's id: UUIDv7 begins with its creation time, so all events of one evaluation lie in the
 * month it was created in. A month that is missing is not an error: its rows go to the default partition, and stay there.
 * Called at every start and by the sweeper; does nothing when all is there. `now` in UTC.
 */
export async function ensureEventPartitions(sql: Sql, now: Date = new Date()): Promise<string[]> {
  const { rows: parents } = await sql.query("select 1 from pg_class where oid = to_regclass('public.event') and relkind = 'p'");
  if (parents.length === 0) return [];
  await sql.query('create table if not exists public.event_default partition of public.event default');
  const made: string[] = [];
  for (let ahead = 0; ahead <= monthsAhead; ahead++) {
    const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1));
    const to = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead + 1, 1));
    const name = `event_${from.toISOString().slice(0, 7).replace('-', '_')}`;
    if (await makePartition(sql, name, lowestId(from), lowestId(to))) made.push(name);
  }
  return made;
}

async function makePartition(sql: Sql, name: string, from: string, to: string): Promise<boolean> {
  const { rows } = await sql.query(
    `select 1 where to_regclass($1) is not null
       or exists (select from public.event_default where evaluation_id >= $2::uuid and evaluation_id < $3::uuid)`,
    [`public.${name}`, from, to],
  );
  if (rows.length > 0) return false;
  try {
    await sql.query(`create table public.${name} partition of public.event for values from ('${from}') to ('${to}')`);
    return true;
  } catch (error) {
    // 42P07: another process made it; 23514: a row of this month has just gone to the default partition.
    if (['42P07', '23514'].includes((error as { code?: string }).code ?? '')) return false;
    throw error;
  }
}

/** The smallest UUIDv7 of a moment: 48 bits of milliseconds, then zeros (RFC 9562, section 5.7). */
export function lowestId(moment: Date): string {
  const hex = moment.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
