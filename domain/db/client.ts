import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { DB } from './schema.ts';

export type Db = Kysely<DB>;
export type Database = { db: Db; pool: pg.Pool } & AsyncDisposable;

export interface DatabaseOptions {
  maxConnections: number;
  /** Shown by the server as `application_name`, so that an operator sees who holds a connection. */
  name: string;
  /** Told about connections that break while idle. The next query opens a new one, so nothing is lost by not listening. */
  onConnectionLost?: (error: Error) => void;
}

/** Longer than any statement of ours; a statement that takes this long is stuck or an attack. */
const statementTimeoutMs = 30_000;
const idleInTransactionTimeoutMs = 60_000;

const session = [
  '-c search_path=public',
  `-c statement_timeout=${statementTimeoutMs}`,
  `-c idle_in_transaction_session_timeout=${idleInTransactionTimeoutMs}`,
  '-c timezone=UTC',
].join(' ');

/**
 * Opens a pool to `url` and Kysely on top of it; nothing is connected until the first query. `bigint` and `numeric`
 * arrive as strings (they may exceed 2^53), `timestamptz` as `Date`, `jsonb` parsed. Dispose to close every connection.
 */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.maxConnections,
    application_name: options.name,
    options: session,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  });
  // Without a listener, a Postgres that goes away takes the whole process down: an 'error' event nobody handles is thrown.
  pool.on('error', (error) => options.onConnectionLost?.(error));
  // The pool listens to idle connections only; one in use breaks twice, once for its query and once for nobody.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db = new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
  const close = async () => {
    await db.destroy();
    // Kysely ends the pool only if it has used it; somebody may have used the pool alone.
    if (!pool.ending) await pool.end();
  };
  return { db, pool, [Symbol.asyncDispose]: close };
}
