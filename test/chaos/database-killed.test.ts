import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase } from '../../domain/db/client.ts';
import { type Embedded, startEmbedded } from '../../domain/db/embedded.ts';
import { readPostmaster } from '../../domain/db/embedded-cluster.ts';
import { migrate } from '../../domain/db/migrate.ts';
import { rightAnswers, wordCases, wordFiles } from '../setup/evaluation.ts';
import { openAiServer } from '../setup/openai-server.ts';
import { openHouse } from '../setup/stages.ts';
import { until } from '../setup/until.ts';
import { startWorker } from './worker-process.ts';

/* PostgreSQL killed with -9 under running evaluations. A cluster of this file's own, with fsync: it has to survive. */

const folder = await mkdtemp(path.join(os.tmpdir(), 'collective-chaos-'));
await chmod(folder, 0o755);
const start = () => startEmbedded({ folder: path.join(folder, 'postgres'), log: () => undefined });
let postgres: Embedded;
beforeAll(async () => {
  postgres = await start();
  await migrate(postgres.url);
});
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

const price = { inputMicrosPerMillion: 1, outputMicrosPerMillion: 1 };
const files = wordFiles(
  {
    targets: [{ name: 'parrot', provider: 'openai', model: 'parrot', price }],
    budget: { calls: 200, inputTokens: 1_000_000, outputTokens: 1_000_000, costMicros: 1_000 },
  },
  { public: wordCases('p', 30), hidden: wordCases('h', 10) },
);

it('a database killed with -9 in the middle and started again: everything ends, once, under the same worker', {
  timeout: 120_000,
}, async () => {
  await using server = await openAiServer();
  await using database = openDatabase(postgres.url, { maxConnections: 5, name: 'test' });
  await using house = await openHouse({ ...database, url: postgres.url, name: 'collective' });
  const rubric = await house.publish(files);
  const prompts = Object.fromEntries([...rubric.cases.public, ...rubric.cases.hidden].map((one) => [one.id, `say word-${one.id}`]));
  const total = 40;
  for (let i = 0; i < total; i++) {
    await house.submit('say-the-word', i % 4 === 0 ? { kind: 'prompts', prompts } : rightAnswers(rubric), {
      participant: `participant ${i}`,
    });
  }
  await using worker = await startWorker({
    DATABASE_URL: postgres.url,
    COLLECTIVE_HOME: house.folder,
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: server.baseUrl,
  });
  const count = async (query: ReturnType<typeof sql>) => (await query.execute(database.db)).rows.length;
  const done = () => count(sql`select 1 from evaluation where status = 'done'`);
  await until(
    'some are done and some are running',
    async () => (await done()) >= 5 && (await count(sql`select 1 from evaluation where status = 'running'`)) > 0,
    30_000,
  );
  const running = await readPostmaster(path.join(folder, 'postgres/data'));
  process.kill(running!.pid, 'SIGKILL');
  const url = postgres.url;
  postgres = await start();
  expect(postgres.url).toBe(url);
  const before = await done();
  expect(before).toBeLessThan(total);
  await until('all are done', async () => (await done()) === total, 80_000).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${worker.output()}`);
  });
  expect(worker.alive()).toBe(true);
  expect(await count(sql`select 1 from evaluation where outcome = 'pass' and score = 1`)).toBe(total);
  expect(await count(sql`select 1 from case_result`)).toBe(total * 40);
  expect(await count(sql`select evaluation_id from event where data->>'kind' = 'verdict' group by 1 having count(*) = 1`)).toBe(total);
  expect(
    await count(sql`select 1 from event where data->>'kind' = 'case' group by evaluation_id, data->>'caseId' having count(*) > 1`),
  ).toBe(0);
});
