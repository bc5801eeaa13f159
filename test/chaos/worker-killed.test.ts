import { existsSync, readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { programOf, rightAnswers, wordCases, wordFiles } from '../setup/evaluation.ts';
import { openAiServer } from '../setup/openai-server.ts';
import { rowOf } from '../setup/records.ts';
import { openHouse } from '../setup/stages.ts';
import { until } from '../setup/until.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';
import { startWorker } from './worker-process.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const price = { inputMicrosPerMillion: 1, outputMicrosPerMillion: 1 };
const [publicCases, hiddenCases] = [12, 8];
const files = wordFiles(
  {
    targets: [{ name: 'parrot', provider: 'openai', model: 'parrot', price }],
    budget: { calls: 20, inputTokens: 1_000_000, outputTokens: 1_000_000, costMicros: 1_000 },
  },
  { public: wordCases('p', publicCases), hidden: wordCases('h', hiddenCases) },
);

it('200 queued submissions whose worker is killed twice with -9 are all judged, each exactly once', { timeout: 120_000 }, async () => {
  await using server = await openAiServer();
  await using house = await openHouse(database);
  const rubric = await house.publish(files);
  const prompts = Object.fromEntries([...rubric.cases.public, ...rubric.cases.hidden].map((one) => [one.id, `say word-${one.id}`]));
  const total = 200;
  for (let i = 0; i < total; i++) {
    // Every fifth calls a model; its budget covers every case once, so calls lost in a crash cannot go unnoticed.
    await house.submit('say-the-word', i % 5 === 0 ? { kind: 'prompts', prompts } : rightAnswers(rubric), {
      participant: `participant ${i}`,
    });
  }
  const environment = {
    DATABASE_URL: database.url,
    COLLECTIVE_HOME: house.folder,
    WORKER_CONCURRENCY: '4',
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: server.baseUrl,
  };
  const done = async () =>
    Number((await sql<{ count: string }>`select count(*) from evaluation where status = 'done'`.execute(database.db)).rows[0]?.count);
  const running = async () =>
    (await sql`select 1 from evaluation where lease_holder is not null and status = 'running'`.execute(database.db)).rows.length;
  for (const least of [20, 60]) {
    await using worker = await startWorker(environment);
    await until(`${least} are done and some are running`, async () => (await done()) >= least && (await running()) > 0, 30_000);
    await worker.kill();
    expect(await done()).toBeLessThan(total);
  }
  await using worker = await startWorker(environment);
  await until('all are done', async () => (await done()) === total, 60_000).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${worker.output()}`);
  });
  await expectEachOnce(database);
});

async function expectEachOnce({ db }: TestDatabase): Promise<void> {
  const count = async (query: ReturnType<typeof sql>) => (await query.execute(db)).rows;
  expect(await count(sql`select outcome, score, attempt_cost, count(*)::int from evaluation group by 1, 2, 3`)).toEqual([
    { outcome: 'pass', score: 1, attempt_cost: 'spent', count: 200 },
  ]);
  const perEvaluation = (events: ReturnType<typeof sql>) =>
    count(
      sql`select n, count(*)::int as evaluations from (select count(*)::int as n from event where ${events} group by evaluation_id) as counted group by n`,
    );
  expect(await perEvaluation(sql`data->>'kind' = 'verdict'`)).toEqual([{ n: 1, evaluations: 200 }]);
  expect(await perEvaluation(sql`data->>'kind' = 'status' and data->>'status' = 'done'`)).toEqual([{ n: 1, evaluations: 200 }]);
  expect(await perEvaluation(sql`data->>'kind' = 'case'`)).toEqual([{ n: publicCases, evaluations: 200 }]);
  expect(
    await count(sql`select 1 from event where data->>'kind' = 'case' group by evaluation_id, data->>'caseId' having count(*) > 1`),
  ).toEqual([]);
  const cases = publicCases + hiddenCases;
  expect(
    await count(
      sql`select n, count(*)::int as evaluations from (select count(*)::int as n from case_result group by evaluation_id) as counted group by n`,
    ),
  ).toEqual([{ n: cases, evaluations: 200 }]);
  expect(
    await count(
      sql`select n, count(*)::int as evaluations from (select count(*)::int as n from grade group by evaluation_id) as counted group by n`,
    ),
  ).toEqual([{ n: cases, evaluations: 200 }]);
  expect(await count(sql`select 1 from standing`)).toHaveLength(200);
  const attempts = await count(sql`select max(attempt)::int as most from evaluation`);
  expect(attempts).toEqual([{ most: expect.toSatisfy((most: number) => most <= 3) }]);
}

it('leaves no process of a submission behind, even one that is in an endless loop', { timeout: 60_000 }, async () => {
  await using house = await openHouse(database);
  await house.publish(wordFiles({ name: 'endless', targets: [{ name: 'parrot', provider: 'simulated', model: 'cautious-assistant' }] }));
  await using worker = await startWorker({ DATABASE_URL: database.url, COLLECTIVE_HOME: house.folder });
  const id = await house.submit('endless', programOf('for (;;) {}'));
  const children = () =>
    readFileSync(`/proc/${worker.child.pid}/task/${worker.child.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  const sandbox = await until(
    'the program runs',
    async () => {
      const { status } = await rowOf(database.db, id);
      return status === 'running' && children().find((pid) => cpuTicks(pid) > 30);
    },
    20_000,
  );
  await worker.kill();
  await until('its sandbox is gone', () => !existsSync(`/proc/${sandbox}`), 15_000);
});

/** User time of a living process in clock ticks; fields after the name in parentheses, proc(5). */
function cpuTicks(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[11]);
  } catch {
    return 0;
  }
}
