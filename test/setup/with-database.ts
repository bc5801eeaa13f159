import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { inject } from 'vitest';
import { type Db, openDatabase } from '../../domain/db/client.ts';
import { dropDatabase, onServer } from './server-sql.ts';

export type TestDatabase = { url: string; name: string; db: Db; pool: pg.Pool } & AsyncDisposable;

/**
 * A migrated, empty database of the test file's own, and a pool to it. Dispose in `afterAll`: it closes the pool, fails if
 * the code under test left a connection open, and drops the database.
 */
export async function testDatabase(options: { maxConnections?: number } = {}): Promise<TestDatabase> {
  const serverUrl = inject('serverUrl');
  const name = `collective_test_${process.pid}_${randomBytes(4).toString('hex')}`;
  await onServer(serverUrl, `create database ${name} template ${inject('templateName')}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const { db, pool, [Symbol.asyncDispose]: close } = openDatabase(url.href, { maxConnections: options.maxConnections ?? 10, name: 'test' });
  return {
    url: url.href,
    name,
    db,
    pool,
    [Symbol.asyncDispose]: async () => {
      await close();
      const left = await remainingConnections(serverUrl, name);
      await dropDatabase(serverUrl, name);
      if (left.length > 0) throw new Error(`connections were left open: ${left.join(', ')}`);
    },
  };
}

/** Backends need a moment to notice that their client has gone. */
async function remainingConnections(serverUrl: string, name: string): Promise<string[]> {
  const deadline = Date.now() + 2_000;
  for (;;) {
    const rows = await onServer(
      serverUrl,
      "select application_name from pg_stat_activity where datname = $1 and backend_type = 'client backend'",
      [name],
    );
    if (rows.length === 0 || Date.now() > deadline) return rows.map((row) => String(row.application_name));
  }
}
