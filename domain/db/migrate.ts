import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { runMigrations } from 'bullmq';
import pg from 'pg';
import { Need, queueName } from '../../contracts/queue.ts';
import { ensureEventPartitions } from '../events/partitions.ts';
import { evaluatorGroup } from './evaluator-role.ts';

/*
 * Brings a database to the shape this version expects: migrations/NNNN_name.sql in order, each in a transaction of its
 * own, forward only; then the queue's schema and the event partitions. What was applied is remembered with its hash: a
 * file that was edited afterwards would give two databases of one version different shapes, so it stops the start.
 */

const migrationsFolder = path.join(import.meta.dirname, '..', '..', 'migrations');
/** Any number that is ours alone: "AISC". One migration per database at a time; a second start waits and finds nothing to do. */
const lockKey = 0x41495343;

interface Migration {
  name: string;
  sql: string;
  sha256: string;
}

/** Applies what is missing and returns the names of the files applied now. Throws when files and database disagree. */
export async function migrate(url: string, folder: string = migrationsFolder): Promise<{ applied: string[] }> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client({
    connectionString: url,
    application_name: 'collective migrate',
    options: '-c search_path=public -c statement_timeout=0 -c timezone=UTC',
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [lockKey]);
    await ensureEvaluatorGroup(client);
    const applied = await applyMissing(client, migrations);
    await runMigrations(client);
    await client.query('set search_path to public');
    await grantQueue(client);
    await ensureEventPartitions(client);
    return { applied };
  } finally {
    await client.end();
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(path.join(folder, name), 'utf8');
      return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function applyMissing(client: pg.Client, migrations: Migration[]): Promise<string[]> {
  await client.query(
    'create table if not exists schema_migration (name text primary key, sha256 text not null, applied_at timestamptz not null default now())',
  );
  const { rows } = await client.query<{ name: string; sha256: string }>('select name, sha256 from schema_migration order by name');
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const row of rows) {
    const file = known.get(row.name);
    if (file === undefined)
      throw new Error(`The database has migration ${row.name}, which this version does not know: start a newer version.`);
    if (file.sha256 !== row.sha256)
      throw new Error(`migrations/${row.name} was edited after it had been applied. Restore it and put the change into a new file.`);
  }
  const done = new Set(rows.map((row) => row.name));
  const missing = migrations.filter((migration) => !done.has(migration.name));
  const last = rows.at(-1)?.name ?? '';
  for (const migration of missing) {
    if (migration.name < last) throw new Error(`migrations/${migration.name} comes before ${last}, which is applied already: renumber it.`);
    await applyOne(client, migration);
  }
  return missing.map((migration) => migration.name);
}

async function applyOne(client: pg.Client, { name, sql, sha256 }: Migration): Promise<void> {
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query('insert into schema_migration (name, sha256) values ($1, $2)', [name, sha256]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    const { position, message } = error as pg.DatabaseError;
    const line = position === undefined ? '' : `:${sql.slice(0, Number(position)).split('\n').length}`;
    throw new Error(`migrations/${name}${line}: ${message}`, { cause: error });
  }
}

/** The migrations grant to this role, so it must be there before them. Roles belong to the whole server, not the database. */
async function ensureEvaluatorGroup(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [evaluatorGroup]);
  if (rowCount === 1) return;
  try {
    await client.query(`create role ${evaluatorGroup} nologin`);
  } catch (error) {
    const { code } = error as pg.DatabaseError;
    // Another database of the same server is being migrated at this moment and made it.
    if (code === '42710' || code === '23505') return;
    if (code !== '42501') throw error;
    throw new Error(
      `The role of DATABASE_URL may not create roles. Run once as an administrator: create role ${evaluatorGroup} nologin; ` +
        `and give the role of DATABASE_URL createrole.`,
      { cause: error },
    );
  }
}

/**
 * Queue rows hold ids only, so a sandbox host may work the queue; it learns nothing from it. BullMQ numbers the messages
 * of a queue by a sequence that it creates at the first one: made here, so that the evaluator needs no right to create.
 */
async function grantQueue(client: pg.Client): Promise<void> {
  const queues = [queueName.screen, queueName.verify, ...Need.options.map(queueName.evaluate)];
  const { rows } = await client.query<{ name: string }>('select bullmq.job_id_seq_name(queue) as name from unnest($1::text[]) as queue', [
    queues,
  ]);
  for (const { name } of rows) await client.query(`create sequence if not exists bullmq.${pg.escapeIdentifier(name)}`);
  await client.query(`
    grant usage on schema bullmq to ${evaluatorGroup};
    grant select, insert, update, delete on all tables in schema bullmq to ${evaluatorGroup};
    grant usage, select on all sequences in schema bullmq to ${evaluatorGroup};
    grant execute on all functions in schema bullmq to ${evaluatorGroup};
  `);
}
