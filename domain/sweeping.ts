import { sql } from 'kysely';
import { capabilityDeadlineMs, type Need, partsOf, type Stage } from '../contracts/queue.ts';
import type { Split } from '../contracts/rubric.ts';
import type { Profile } from '../contracts/sandbox.ts';
import type { Reason, Status } from '../contracts/status.ts';
import type { Db } from './db/client.ts';
import { storableJson } from './db/storable-text.ts';
import { appendEvents } from './events/append.ts';
import { conclude, doneEvent } from './finishing.ts';
import { deadlinePassed, noWorker, waitsInQueue } from './reasons.ts';
import { stageOf } from './states.ts';
import { inTransaction, type Trx } from './transaction.ts';
import { liveNeeds } from './workers.ts';

/*
 * What makes "nothing is ever stuck" true. A message can be lost, a worker can die, no worker may be able to run a
 * thing: the rows say what should be happening, and the sweeper compares. It owns nothing: everything it does is a
 * compare-and-set, so any number of sweepers may run.
 */

/** A waiting row whose message should have been taken by now is sent again after this; then after twice as long, and so on. */
export const resendAfterMs = 20_000;
const mostDoublings = 8;

export interface Stuck {
  evaluationId: string;
  stage: Stage;
  /** Which evaluate queue; `none` for the other stages. */
  need: Need;
}

/**
 * Evaluations whose message must be sent again: a retry that is due, a lease that has run out, or a wait so long that the
 * message may be lost. Noted in the row, so that two sweepers do not both send; a row behind a long queue is sent
 * ever more rarely, or the queue would fill with copies.
 */
export async function findStuck(db: Db, limit = 500): Promise<Stuck[]> {
  const { rows } = await sql<{ id: string; status: Status; need: Need | null }>`
    with due as (
      select id, coalesce(lease_until, next_attempt_at, status_since + ${resendAfterMs} * interval '1 millisecond') as ready_at
      from evaluation
      where (status in ('received', 'queued', 'verifying') and lease_holder is null) or lease_until <= clock_timestamp()
    ), stuck as (
      select e.id from due join evaluation e using (id)
      where ready_at <= clock_timestamp() and (e.resent_at is null or e.resent_at < ready_at
        or e.resent_at + ${resendAfterMs} * (2 ^ least(e.resent, ${mostDoublings})) * interval '1 millisecond' <= clock_timestamp())
      order by ready_at limit ${limit}
      for no key update of e skip locked
    )
    update evaluation e set resent = resent + 1, resent_at = clock_timestamp() from stuck where e.id = stuck.id
    returning e.id, e.status, e.need`.execute(db);
  return rows.map((row) => ({ evaluationId: row.id, stage: stageOf(row.status) ?? 'screen', need: row.need ?? 'none' }));
}

interface WaitingRow {
  id: string;
  status: Status;
  need: Need | null;
  code: string | null;
  message: string | null;
}

/** Rows that have just begun to wait are about to be taken; telling them why they wait would only be noise. */
const quietMs = 2_000;

/**
 * Says of every evaluation that waits for a worker why it does, with one event per change. Where no live worker can take
 * it, a deadline begins to run; where one appears, the deadline is gone. Returns how many waits changed.
 */
export async function describeWaits(db: Db, limit = 500): Promise<number> {
  const live = await liveNeeds(db);
  const { rows } = await sql<WaitingRow>`
    select id, status, need, waiting->>'code' as code, waiting->>'message' as message from evaluation
    where status in ('received', 'queued', 'verifying') and lease_holder is null and next_attempt_at is null
      and status_since < clock_timestamp() - ${quietMs} * interval '1 millisecond'`.execute(db);
  let changed = 0;
  for (const row of rows) {
    const { reason, hopeless } = waitOf(row, live);
    if (reason.code === row.code && reason.message === row.message) continue;
    if (await inTransaction(db, (trx) => setWait(trx, row, reason, hopeless))) changed++;
    if (changed >= limit) break;
  }
  return changed;
}

function waitOf(row: WaitingRow, live: Awaited<ReturnType<typeof liveNeeds>>): { reason: Reason; hopeless: boolean } {
  const stage = stageOf(row.status) ?? 'screen';
  const work = stage === 'evaluate' ? workWords(row.need ?? 'none') : stageWords[stage];
  if (!live.stages.has(stage))
    return { reason: noWorker(work, `no worker of the ${stage} stage is running.`, 'start one.'), hopeless: true };
  const served = stage === 'evaluate' ? live.needs[row.need ?? 'none'] : ({ available: true } as const);
  return served.available
    ? { reason: waitsInQueue(work), hopeless: false }
    : { reason: noWorker(work, served.reason, served.install), hopeless: true };
}

const profileWords: Record<Profile, string> = {
  js: 'run JavaScript in the small sandbox',
  node: 'run Node programs',
  python: 'run Python programs',
  image: 'run container images',
};
function workWords(need: Need): string {
  const { profile, gvisor, bounty } = partsOf(need);
  if (profile === null) return 'judge answers, prompts and defences';
  return `${profileWords[profile]}${gvisor ? ' in gVisor' : ''}${bounty ? ' for a bounty' : ''}`;
}
const stageWords = { screen: 'check submissions', verify: 'verify verdicts' };

async function setWait(trx: Trx, seen: WaitingRow, reason: Reason, hopeless: boolean): Promise<boolean> {
  const row = await trx
    .updateTable('evaluation')
    .set({
      waiting: JSON.stringify(storableJson(reason)),
      waiting_since: sql<Date>`coalesce(waiting_since, status_since)`,
      // Another cause of the same wait does not begin it anew.
      deadline_at: hopeless
        ? sql<Date>`coalesce(deadline_at, clock_timestamp() + ${capabilityDeadlineMs} * interval '1 millisecond')`
        : null,
    })
    .where('id', '=', seen.id)
    .where('status', '=', seen.status)
    .where('lease_holder', 'is', null)
    .where('next_attempt_at', 'is', null)
    .where(sql<boolean>`waiting->>'code' is not distinct from ${seen.code}::text`)
    .where(sql<boolean>`waiting->>'message' is not distinct from ${seen.message}::text`)
    .returning('deadline_at')
    .executeTakeFirst();
  if (row === undefined) return false;
  await appendEvents(trx, seen.id, [{ kind: 'waiting', reason, deadlineAt: row.deadline_at?.toISOString() ?? null }]);
  return true;
}

/**
 * Ends as `error`, with the attempt returned, what no worker could run until its deadline. Waits are described first: a
 * worker that has appeared since then takes the deadline away. Returns the ids.
 */
export async function expireUnrunnable(db: Db): Promise<string[]> {
  await describeWaits(db);
  const due = await db.selectFrom('evaluation').select('id').where(sql<boolean>`deadline_at <= clock_timestamp()`).execute();
  const ended: string[] = [];
  for (const { id } of due) if (await inTransaction(db, (trx) => expire(trx, id))) ended.push(id);
  return ended;
}

async function expire(trx: Trx, id: string): Promise<boolean> {
  const row = await trx
    .selectFrom('evaluation')
    .select(['splits', 'started_at'])
    .where('id', '=', id)
    .where('lease_holder', 'is', null)
    .where(sql<boolean>`deadline_at <= clock_timestamp()`)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) return false;
  await conclude(trx, id, 'error', deadlinePassed, {});
  await appendEvents(trx, id, [doneEvent('error', deadlinePassed, { splits: row.splits as Split[], casesRan: row.started_at !== null })]);
  return true;
}
