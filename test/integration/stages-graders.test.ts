import { afterAll, beforeAll, expect, it } from 'vitest';
import { listCases } from '../../domain/case-views.ts';
import { checkpoint } from '../../domain/checkpoint.ts';
import { rubricSource, showChallenge } from '../../domain/challenges.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import { wasmDriver } from '../../sandboxes/wasm/driver.ts';
import { rightAnswers, wordFiles, wordRubricOf } from '../setup/evaluation.ts';
import { eventsOf } from '../setup/records.ts';
import { openHouse } from '../setup/stages.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

/* Rubrics with a grader program of their own, through every stage. */

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const slug = 'say-the-word';
const path = 'graders/word.js';
const gradedBy = (source: string, changes: Record<string, unknown> = {}) =>
  wordFiles(
    {
      submission: [{ kind: 'answers', schema: {} }],
      criteria: [{ name: 'judged', title: 'Judged', grader: { kind: 'program', path, language: 'javascript', profile: 'js' } }],
      ...changes,
    },
    {},
    { [path]: source },
  );
const right = rightAnswers(wordRubricOf());
const secret = 'the-expected-answer-is-42';

it('an honest one scores public and hidden cases; data alone then needs a worker with a sandbox', async () => {
  await using house = await openHouse(database);
  const source =
    'const grade = ({ answer, expected }) => ({ score: answer === expected.word ? 1 : 0, evidence: { length: answer.length } });';
  await house.publish(gradedBy(source));
  await house.start({ sandboxes: [wasmDriver()] });
  const id = await house.submit(slug, right);
  expect(await house.settled(id)).toMatchObject({ status: 'done', outcome: 'pass', score: 1, need: 'js', attempt: 1 });
  const grades = (await checkpoint(house.db, id)).flatMap((result) => result.grades);
  expect(grades).toHaveLength(5);
  for (const grade of grades) expect(grade).toMatchObject({ grader: 'program', score: 1, evidence: { program: { length: 7 } } });
  const shown = await listCases(house.db, id, { limit: 10 });
  expect(shown?.ok && shown.items.map((one) => one.caseId)).toEqual(['p0', 'p1', 'p2']);
  expect((await showChallenge(house.db, slug))?.runnable.map(({ need }) => need)).toEqual(['js']);
});

it('one that fails on a hidden case costs no attempt and tells nobody what it said', async () => {
  await using house = await openHouse(database);
  const source = `const grade = ({ case: one }) => { if (one.split === 'hidden') throw new Error('${secret}'); return { score: 1 }; };`;
  await house.publish(gradedBy(source));
  await house.start({ sandboxes: [wasmDriver()] });
  const id = await house.submit(slug, right);
  const row = await house.settled(id);
  expect(row).toMatchObject({ status: 'parked', score: null, attempt: 4 });
  const view = await showEvaluation(house.db, id);
  const events = await eventsOf(house.db, id);
  expect(JSON.stringify([row, view, events])).toContain('the grader program ended with an exception');
  expect(JSON.stringify([row, view, events])).not.toContain(secret);
  expect(await listCases(house.db, id, { limit: 10 })).toMatchObject({ items: [] });
});

it('one that asks for a person ends in a review', async () => {
  await using house = await openHouse(database);
  await house.publish(gradedBy("const grade = ({ case: one }) => ({ score: 1, ...(one.id === 'p1' && { review: 'odd' }) });"));
  await house.start({ sandboxes: [wasmDriver()] });
  const id = await house.submit(slug, right);
  expect(await house.settled(id)).toMatchObject({ status: 'done', outcome: 'needs_review' });
});

it('is not among the files that anybody may read, unless its challenge is a demonstration', async () => {
  await using house = await openHouse(database);
  const filesOf = async () => (await rubricSource(house.db, house.blobs, slug))?.files.map((file) => file.path) ?? [];
  await house.publish(gradedBy('const grade = () => ({ score: 1 });', { demonstration: false }));
  expect(await filesOf()).not.toContain(path);
  expect(await filesOf()).toContain('rubric.yaml');
  await house.publish(gradedBy('const grade = () => ({ score: 1 });'));
  expect(await filesOf()).toContain(path);
});
