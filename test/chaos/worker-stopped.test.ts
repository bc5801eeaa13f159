import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkpoint } from '../../domain/checkpoint.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';
import { rightPrompts, wordCases, wordFiles } from '../setup/evaluation.ts';
import { type OpenAiServer, openAiServer } from '../setup/openai-server.ts';
import { eventsOf, rowOf } from '../setup/records.ts';
import { type House, openHouse } from '../setup/stages.ts';
import { until } from '../setup/until.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';
import { startWorker } from './worker-process.ts';

/* A worker process that sleeps past its lease, and one that is told to stop. */

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const price = { inputMicrosPerMillion: 1, outputMicrosPerMillion: 1 };
const files = wordFiles(
  {
    targets: [{ name: 'parrot', provider: 'openai', model: 'parrot', price }],
    budget: { calls: 100, inputTokens: 1_000_000, outputTokens: 1_000_000, costMicros: 1_000 },
  },
  { public: wordCases('p', 40), hidden: wordCases('h', 4) },
);
/** Calls of one evaluation to a target that are open at the same time. */
const parallel = 16;
const total = 44;

const environmentOf = (house: House, server: OpenAiServer) => ({
  DATABASE_URL: database.url,
  COLLECTIVE_HOME: house.folder,
  OPENAI_API_KEY: 'sk-test',
  OPENAI_BASE_URL: server.baseUrl,
});

/** The server answers `first` calls, holds the next ones until released, and answers all later ones. */
function holdAfter(server: OpenAiServer, first: number) {
  const release = Promise.withResolvers<void>();
  const state = { held: 0, release: release.resolve };
  server.behave(async ({ text, number }) => {
    if (number >= first && number < first + parallel) {
      state.held++;
      await release.promise;
    }
    return { say: text };
  });
  return state;
}

/** Everything that is stored about an evaluation, row by row. */
async function everythingOf(id: string): Promise<unknown> {
  const rows = async (table: string) =>
    (
      await sql<{
        row: unknown;
      }>`select to_jsonb(t) as row from ${sql.table(table)} t where evaluation_id = ${id} order by t::text`.execute(database.db)
    ).rows;
  return {
    evaluation: await rowOf(database.db, id),
    rows: await Promise.all(['case_result', 'grade', 'model_call', 'event', 'evaluation_budget', 'standing'].map(rows)),
  };
}

const submitPrompts = (house: House, rubric: LoadedRubric, participant: string) =>
  house.submit('say-the-word', rightPrompts(rubric), { participant });

it('a worker that is stopped past its lease and wakes up writes nothing late, and goes on with other work', {
  timeout: 90_000,
}, async () => {
  await using server = await openAiServer();
  await using house = await openHouse(database);
  const rubric = await house.publish(files);
  const held = holdAfter(server, 5);
  await using sleeper = await startWorker(environmentOf(house, server));
  const id = await submitPrompts(house, rubric, 'sleeper');
  await until('calls of the first worker are held', () => held.held === parallel, 20_000);
  await until('its first results are stored', async () => (await checkpoint(database.db, id)).length === 5);
  const { fencing, lease_holder: first } = await rowOf(database.db, id);
  sleeper.signal('SIGSTOP');

  await using other = await startWorker(environmentOf(house, server));
  await until('the other one has finished it', async () => (await rowOf(database.db, id)).status === 'done', 40_000);
  const finished = await everythingOf(id);
  const row = await rowOf(database.db, id);
  expect(row).toMatchObject({ outcome: 'pass', score: 1 });
  expect(BigInt(row.fencing)).toBeGreaterThan(BigInt(fencing));
  expect(await checkpoint(database.db, id)).toHaveLength(total);
  other.signal('SIGTERM');
  expect(await other.ended()).toBe(0);

  // The held replies arrive in the moment in which it wakes.
  held.release();
  const asked = server.asked.length;
  sleeper.signal('SIGCONT');
  const next = await submitPrompts(house, rubric, 'after the sleep');
  await until('it has judged something else', async () => (await rowOf(database.db, next)).status === 'done', 30_000).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}\n${sleeper.output()}`);
    },
  );
  expect(await rowOf(database.db, next)).toMatchObject({ outcome: 'pass', attempt: 1 });
  expect(sleeper.alive()).toBe(true);
  expect(sleeper.output()).toContain('the lease was lost, the work is dropped');
  expect(await everythingOf(id)).toEqual(finished);
  const calls = await database.db.selectFrom('model_call').select(['fencing']).where('evaluation_id', '=', id).execute();
  expect(calls.filter((call) => call.fencing === fencing)).toHaveLength(5);
  expect(first).not.toBeNull();
  // All of the next evaluation; the sleeper asked nothing more for the one it had lost.
  expect(server.asked.length - asked).toBe(total);
});

it('a worker that is told to stop hands its evaluation back at once; another one goes on where it was', { timeout: 60_000 }, async () => {
  await using server = await openAiServer();
  await using house = await openHouse(database);
  const rubric = await house.publish(files);
  const held = holdAfter(server, 10);
  await using stopped = await startWorker(environmentOf(house, server));
  const id = await submitPrompts(house, rubric, 'handed back');
  await until('calls are held', () => held.held === parallel, 20_000);
  const { lease_holder: workerId } = await rowOf(database.db, id);
  const at = performance.now();
  stopped.signal('SIGTERM');
  expect(await stopped.ended()).toBe(0);
  expect(performance.now() - at).toBeLessThan(5_000);
  expect(await rowOf(database.db, id)).toMatchObject({ status: 'queued', lease_holder: null, attempt: 1, lost_leases: 0 });
  expect(await checkpoint(database.db, id)).toHaveLength(10);
  expect(await database.db.selectFrom('worker').selectAll().where('id', '=', workerId).execute()).toEqual([]);

  await using next = await startWorker(environmentOf(house, server));
  const begun = performance.now();
  await until('it is finished', async () => (await rowOf(database.db, id)).status === 'done', 20_000);
  // No lease had to run out for it, and no sweeper had to find it.
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(await rowOf(database.db, id)).toMatchObject({ outcome: 'pass', attempt: 1 });
  expect(server.asked).toHaveLength(10 + parallel + (total - 10));
  expect((await eventsOf(database.db, id)).filter((event) => event.kind === 'verdict')).toHaveLength(1);
  expect(next.alive()).toBe(true);
});
