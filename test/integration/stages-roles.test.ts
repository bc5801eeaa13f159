import { afterAll, beforeAll, expect, it } from 'vitest';
import { v7 as uuid } from 'uuid';
import { openDatabase } from '../../domain/db/client.ts';
import { ensureEvaluatorRole } from '../../domain/db/evaluator-role.ts';
import { openQueues } from '../../domain/queue/backend.ts';
import { ProviderFault } from '../../gateway/providers/provider.ts';
import { wasmDriver } from '../../sandboxes/wasm/driver.ts';
import { rubricCache } from '../../workers/rubric-cache.ts';
import { kindsOf, lastText, programOf, rightPrompts, scriptedGateway, wordCases, wordFiles, wordRubricOf } from '../setup/evaluation.ts';
import { rowOf } from '../setup/records.ts';
import { openHouse } from '../setup/stages.ts';
import { until } from '../setup/until.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

/*
 * The evaluate stage under the role of a host that runs strangers' code, everything else under the owner's: all that an
 * evaluation does there must be allowed: budgets, results, calls, retries, handing back, heartbeats, queues.
 */

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

async function openSplitHouse(script = scriptedGateway((request) => lastText(request))) {
  const url = await ensureEvaluatorRole(database.url, 'a password of the test');
  const resources = new AsyncDisposableStack();
  const house = resources.use(await openHouse(database));
  const restricted = resources.use(openDatabase(url, { maxConnections: 8, name: 'evaluator' }));
  const queues = resources.use(await openQueues({ databaseUrl: url }));
  await house.start({}, { stages: ['screen', 'verify'] });
  const { db, pool } = restricted;
  const startEvaluator = () =>
    house.start(
      { workerId: uuid(), db, pool, queues, rubrics: rubricCache(db, house.blobs), gateway: script, sandboxes: [wasmDriver()] },
      { stages: ['evaluate'] },
    );
  const evaluator = await startEvaluator();
  // Consumers go before the queues and connections under them.
  resources.defer(() => evaluator[Symbol.asyncDispose]());
  return { house, evaluator, resources };
}

it.each(kindsOf(wordRubricOf()))('%s', async (_, document) => {
  const { house, resources } = await openSplitHouse();
  await using _resources = resources;
  await house.publish(wordFiles());
  const id = await house.submit('say-the-word', document);
  expect(await house.settled(id)).toMatchObject({ outcome: 'pass', attempt: 1, score: 1 });
});

it('failing, trying again and being parked', async () => {
  const { house, resources } = await openSplitHouse(
    scriptedGateway(() => {
      throw new ProviderFault('transport', 'down', { httpStatus: 502 });
    }),
  );
  await using _resources = resources;
  const rubric = await house.publish(wordFiles());
  const id = await house.submit('say-the-word', rightPrompts(rubric));
  expect(await house.settled(id)).toMatchObject({ status: 'parked', attempt: 4 });
});

it('handing back', async () => {
  const { house, evaluator, resources } = await openSplitHouse();
  await using _resources = resources;
  await house.publish(wordFiles({}, { public: wordCases('p', 2) }));
  const id = await house.submit(
    'say-the-word',
    programOf("await target.chat([{ role: 'user', content: 'x' }]); await new Promise(() => {});"),
  );
  await until('it runs', async () => (await rowOf(database.db, id)).first_call_at !== null);
  await evaluator[Symbol.asyncDispose]();
  expect(await rowOf(database.db, id)).toMatchObject({ status: 'queued', lease_holder: null, attempt: 1 });
});
