import { afterAll, beforeAll, expect, it } from 'vitest';
import { retryPolicy } from '../../contracts/queue.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';
import { rightPrompts, wordCases, wordFiles } from '../setup/evaluation.ts';
import { openAiServer } from '../setup/openai-server.ts';
import { eventsOf, rowOf } from '../setup/records.ts';
import { openHouse } from '../setup/stages.ts';
import { until } from '../setup/until.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';
import { startWorker } from './worker-process.ts';

/*
 * kill -9 while replies are streaming. What the worker had drawn stays spent. With room in the budget the next worker goes
 * on in the same attempt; without, the attempt fails as the platform's and the next one has its budget again.
 */

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const cases = 20;
const parallel = 16;
const price = { inputMicrosPerMillion: 1, outputMicrosPerMillion: 1 };
const rubricWith = (name: string, calls: number) =>
  wordFiles(
    {
      name,
      phases: [{ name: 'open', title: 'Open', splits: ['public'] }],
      cases: { public: 'cases/public.jsonl' },
      // A model each: calls of one model share its pace, and here both are to be in the middle of as many.
      targets: [{ name: 'parrot', provider: 'openai', model: `parrot-${name}`, price }],
      budget: { calls, inputTokens: 1_000_000, outputTokens: 1_000_000, costMicros: 1_000_000 },
    },
    { public: wordCases('p', cases) },
  );
const promptsOf = (rubric: LoadedRubric, mark: string) => ({
  kind: 'prompts' as const,
  prompts: Object.fromEntries(Object.entries(rightPrompts(rubric).prompts).map(([key, text]) => [key, `${mark}: ${text}`])),
});

it('a worker killed in mid-stream loses budget, never invents any, and no participant pays for it', { timeout: 90_000 }, async () => {
  await using server = await openAiServer();
  await using house = await openHouse(database);
  const exactRubric = await house.publish(rubricWith('exact-budget', cases));
  const roomyRubric = await house.publish(rubricWith('roomy-budget', 1_000));
  let dying = true;
  const streaming = { exact: 0, roomy: 0 };
  server.behave(({ text }) => {
    const which = text.startsWith('exact') ? 'exact' : 'roomy';
    // The first two cases of each are answered before everything hangs in the middle of its reply.
    if (!dying || /p[01]$/.test(text)) return { say: text };
    streaming[which]++;
    return { hang: 'middle' };
  });
  const environment = {
    DATABASE_URL: database.url,
    COLLECTIVE_HOME: house.folder,
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: server.baseUrl,
  };
  const exact = await house.submit('exact-budget', promptsOf(exactRubric, 'exact'));
  const roomy = await house.submit('roomy-budget', promptsOf(roomyRubric, 'roomy'));
  const drawn = async (id: string) =>
    Number(
      (await database.db.selectFrom('evaluation_budget').select('drawn_calls').where('evaluation_id', '=', id).executeTakeFirstOrThrow())
        .drawn_calls,
    );
  const kept = async (id: string) =>
    (await database.db.selectFrom('case_result').select('case_id').where('evaluation_id', '=', id).execute()).length;
  {
    await using worker = await startWorker(environment);
    await until('replies of both are streaming', () => streaming.exact === parallel && streaming.roomy === parallel, 20_000);
    await until('what was answered is stored', async () => (await kept(exact)) === 2 && (await kept(roomy)) === 2);
    await worker.kill();
  }
  dying = false;
  const [exactDrawn, roomyDrawn] = [await drawn(exact), await drawn(roomy)];
  const askedOf = (which: string) => server.asked.filter((text) => text.startsWith(which)).length;
  expect(exactDrawn).toBeGreaterThanOrEqual(askedOf('exact'));
  expect(roomyDrawn).toBeGreaterThanOrEqual(askedOf('roomy'));

  await using worker = await startWorker(environment);
  for (const id of [exact, roomy]) {
    await until('it is done', async () => (await rowOf(database.db, id)).status === 'done', 50_000).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${worker.output()}`);
    });
    expect(await rowOf(database.db, id)).toMatchObject({ outcome: 'pass', score: 1, attempt_cost: 'spent' });
  }
  // Room enough: one attempt, the lost calls stay spent on top of what was used.
  expect(await rowOf(database.db, roomy)).toMatchObject({ attempt: 1 });
  expect(askedOf('roomy')).toBe(cases + parallel);
  expect(await drawn(roomy)).toBeGreaterThanOrEqual(cases + parallel);
  // No room: the attempt failed as the platform's and was tried again, with every case answered and none a limit.
  expect(await rowOf(database.db, exact)).toMatchObject({ attempt: 2 });
  const retries = (await eventsOf(database.db, exact)).filter((event) => event.kind === 'retry');
  expect(retries).toHaveLength(1);
  expect(retries[0]?.reason.message).toContain('a worker stopped while it held a part of it');
  expect(askedOf('exact')).toBeLessThanOrEqual(cases * retryPolicy.attempts);
  expect(await drawn(exact)).toBe(cases);
});
