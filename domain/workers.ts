import { sql } from 'kysely';
import type { SystemView } from '../contracts/api.ts';
import type { WorkerDoctor } from '../contracts/doctor.ts';
import { Need } from '../contracts/queue.ts';
import type { Db } from './db/client.ts';
import { storableJson } from './db/storable-text.ts';

/** A worker that has not been heard of for this long is not counted on; it beats every few seconds. */
export const aliveMs = 30_000;

export interface WorkerState {
  id: string;
  /** Name of its machine. */
  name: string;
  stages: readonly string[];
  needs: readonly Need[];
  unavailable: readonly { need: string; reason: string; install: string }[];
  /** What its doctor found; null or absent where no submitted code runs. */
  doctor?: WorkerDoctor | null;
}

/** Says "I am here and can do this". The first beat makes the row. */
export async function heartbeat(db: Db, worker: WorkerState): Promise<void> {
  const { name, stages, needs, unavailable, doctor = null } = storableJson(worker);
  const state = {
    name,
    stages: [...stages],
    needs: [...needs],
    unavailable: JSON.stringify(unavailable),
    doctor: doctor === null ? null : JSON.stringify(doctor),
  };
  await db
    .insertInto('worker')
    .values({ id: worker.id, ...state })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...state, last_seen_at: sql<Date>`clock_timestamp()` }))
    .execute();
}

/** Says goodbye, so that nobody waits for this worker. Its leases simply run out. */
export async function removeWorker(db: Db, id: string): Promise<void> {
  await db.deleteFrom('worker').where('id', '=', id).execute();
}

/** Forgets workers that died without a goodbye a day ago or longer. */
export async function forgetDeadWorkers(db: Db): Promise<void> {
  await db.deleteFrom('worker').where(sql<boolean>`last_seen_at < now() - interval '1 day'`).execute();
}

export async function liveWorkers(db: Db): Promise<SystemView['workers']> {
  const rows = await db
    .selectFrom('worker')
    .select(['id', 'stages', 'needs', 'unavailable', 'doctor', 'last_seen_at'])
    .where(sql<boolean>`last_seen_at > now() - ${aliveMs} * interval '1 millisecond'`)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    stages: row.stages,
    needs: row.needs,
    unavailable: row.unavailable as SystemView['workers'][number]['unavailable'],
    doctor: row.doctor as WorkerDoctor | null,
    lastSeenAt: row.last_seen_at.toISOString(),
  }));
}

/** What the clock says by which leases are kept. */
export async function databaseTime(db: Db): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('the database did not answer');
  return row.now;
}

/** Whether a worker that is alive can serve a need, and if not why and what an operator has to do. */
export type Served = { available: true } | { available: false; reason: string; install: string };

/** What the workers that are alive can run, per need; and which stages they serve at all. */
export async function liveNeeds(db: Db): Promise<{ needs: Record<Need, Served>; stages: ReadonlySet<string> }> {
  const workers = await liveWorkers(db);
  const evaluators = workers.filter((worker) => worker.stages.includes('evaluate'));
  const served = (need: Need): Served => {
    if (evaluators.some((worker) => worker.needs.includes(need))) return { available: true };
    const known = evaluators.flatMap((worker) => worker.unavailable).find((one) => one.need === need);
    if (known !== undefined) return { available: false, reason: known.reason, install: known.install };
    if (evaluators.length === 0) return { available: false, reason: 'no worker that evaluates is running', install: 'start a worker.' };
    return { available: false, reason: `none of the running workers offers "${need}"`, install: `start a worker that offers "${need}".` };
  };
  return {
    needs: Object.fromEntries(Need.options.map((need) => [need, served(need)])) as Record<Need, Served>,
    stages: new Set(workers.flatMap((worker) => worker.stages)),
  };
}
