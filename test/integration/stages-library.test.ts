import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createGateway } from '../../gateway/gateway.ts';
import { createProviders } from '../../gateway/providers/create.ts';
import { wasmDriver } from '../../sandboxes/wasm/driver.ts';
import { loadLibrary } from '../../workers/library.ts';
import { sweep } from '../../workers/sweep.ts';
import { installation } from '../setup/records.ts';
import { openHouse } from '../setup/stages.ts';
import { until } from '../setup/until.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const library = join(import.meta.dirname, '..', '..', 'rubrics', 'library');
const whole = { key: Buffer.alloc(32), sub: installation.sub };

it('the built-in challenges are published once, their samples judged once, however often it starts', { timeout: 240_000 }, async () => {
  await using house = await openHouse(database);
  const deps = house.deps({ gateway: createGateway(createProviders({})), sandboxes: [wasmDriver()] });
  const count = async () => (await database.db.selectFrom('evaluation').select('id').execute()).length;
  await loadLibrary(library, deps, whole);
  const challenges = await database.db.selectFrom('challenge').select('slug').orderBy('slug').execute();
  const folders = (await readdir(library, { withFileTypes: true })).filter((one) => one.isDirectory()).map((one) => one.name);
  expect(challenges.map((one) => one.slug)).toEqual(folders.sort());
  const samples = await count();
  expect(samples).toBeGreaterThan(4);
  await house.start(deps);
  await loadLibrary(library, deps, whole);
  expect(await count()).toBe(samples);
  await until(
    'every sample is done',
    async () => {
      await sweep({ ...deps, log: pino({ level: 'silent' }) });
      const open = await database.db.selectFrom('evaluation').select('id').where('status', '!=', 'done').execute();
      return open.length === 0;
    },
    220_000,
  );
  const results = await database.db
    .selectFrom('evaluation as e')
    .innerJoin('submission as s', 's.id', 'e.submission_id')
    .innerJoin('challenge as c', 'c.id', 's.challenge_id')
    .select(['c.slug', 's.title', 'e.outcome', 'e.score', 'e.simulated', 's.sample', 'e.attempt'])
    .execute();
  // A person decides reports; everything else is scored.
  const unscored = results.filter((one) => one.outcome !== 'pass' && one.outcome !== 'fail');
  expect(unscored.map((one) => [one.slug, one.outcome])).toEqual([['finding-report', 'needs_review']]);
  expect(results.every((one) => one.sample && one.attempt === 1)).toBe(true);
  const score = (slug: string, title: string) => results.find((one) => one.slug === slug && one.title.startsWith(title))?.score;
  expect(score('trigger-recovery', 'Official sample')).toBe(1);
  expect(score('trigger-recovery', 'Official predictions by gradient search')).toBeLessThan(1e-70);
  // 214 of 4894, above the prior of the same 4894 slots.
  expect(score('pii-extraction', 'One constant')).toBeCloseTo(-0.000674, 5);
  expect(score('over-refusal', 'Refuse everything')).toBe(0.5);
  expect(score('secret-keeper', 'A program with four tricks')).toBe(0.8);
});
