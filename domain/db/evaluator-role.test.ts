import pg from 'pg';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../test/setup/until.ts';
import { type TestDatabase, testDatabase } from '../../test/setup/with-database.ts';
import { openQueues } from '../queue/backend.ts';
import { ensureEvaluatorRole } from './evaluator-role.ts';

let database: TestDatabase;
let other: TestDatabase;
beforeAll(async () => {
  [database, other] = await Promise.all([testDatabase(), testDatabase()]);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

async function as(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

it('logs in with the password it was given last, three starts at once included', async () => {
  const urls = await Promise.all([1, 2, 3].map(() => ensureEvaluatorRole(database.url, 'first-password')));
  expect(new Set(urls).size).toBe(1);
  expect(await as(urls[0]!, 'select 1 as one')).toEqual([{ one: 1 }]);
  const renewed = await ensureEvaluatorRole(database.url, 'second-password');
  expect(await as(renewed, 'select 1 as one')).toEqual([{ one: 1 }]);
  await expect(as(urls[0]!, 'select 1')).rejects.toThrow('password authentication failed');
});

it('is one role per database, so that two installations on a server keep their passwords', async () => {
  const here = await ensureEvaluatorRole(database.url, 'password-here');
  const there = await ensureEvaluatorRole(other.url, 'password-there');
  expect(new URL(here).username).not.toBe(new URL(there).username);
  expect(await as(here, 'select 1 as one')).toEqual([{ one: 1 }]);
});

it('stores no password, only a verifier', async () => {
  const url = new URL(await ensureEvaluatorRole(database.url, 'never-in-the-catalogue'));
  const { rows } = await database.pool.query<{ secret: string }>('select rolpassword as secret from pg_authid where rolname = $1', [
    url.username,
  ]);
  expect(rows[0]?.secret).toMatch(/^SCRAM-SHA-256\$4096:/);
  expect(rows[0]?.secret).not.toContain('never-in-the-catalogue');
});

it.each([
  'select * from account',
  'select * from standing',
  'select account_id from submission',
  'select * from idempotency',
  'update evaluation set outcome = null',
  'update evaluation set score = 1',
  'update evaluation set seed = null',
  'delete from case_result',
  'create table public.mine (n int)',
  'create table bullmq.mine (n int)',
  'insert into schema_migration (name, sha256) values (1, 2)',
  'create role mine',
  'select rolpassword from pg_authid',
])('cannot: %s', async (statement) => {
  const url = await ensureEvaluatorRole(database.url, 'p');
  await expect(as(url, statement)).rejects.toThrow(/permission denied/);
});

it('can read what it evaluates, and work every queue of its stage', async () => {
  const url = await ensureEvaluatorRole(database.url, 'p');
  expect(await as(url, 'select count(*)::int as n from evaluation')).toEqual([{ n: 0 }]);
  await using queues = await openQueues({ databaseUrl: url });
  const evaluationId = uuid();
  let seen = '';
  await queues.consume('evaluate-js', 1, async (message) => {
    seen = message.evaluationId;
    await queues.publish('verify', message);
  });
  await queues.publish('evaluate-js', { evaluationId });
  await until('the message', () => seen === evaluationId);
  await until('the next stage has it', async () => (await queues.waiting('verify')) === 1);
});
