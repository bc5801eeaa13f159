import pg from 'pg';
import { evaluatorRoleOf } from '../../domain/db/evaluator-role.ts';

/** Runs one statement on a connection of its own (`create database` cannot share one with a transaction). */
export async function onServer(url: string, statement: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'test setup' });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement, values)).rows;
  } finally {
    await client.end();
  }
}

/** Drops a database and the evaluator's login role that belongs to it. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await onServer(serverUrl, `drop database if exists ${name} with (force)`);
  await onServer(serverUrl, `drop role if exists ${evaluatorRoleOf(name)}`);
}
