import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SubmissionView } from '../../contracts/api.ts';
import type { CaseRun } from '../../contracts/sandbox.ts';
import { listCases, readArtifact } from '../../domain/case-views.ts';
import { showEvaluation } from '../../domain/evaluation-views.ts';
import { dockerDriver } from '../../sandboxes/docker/driver.ts';
import { tarOf, zipOf } from '../setup/archives.ts';
import { testEngine } from '../setup/docker.ts';
import { answerOf, fakeDriver, rightProgram, wordFiles } from '../setup/evaluation.ts';
import { describeWith } from '../setup/optional.ts';
import { openHouse } from '../setup/stages.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

/* Submissions that cannot be opened, and what cases leave behind, through every stage. */

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const slug = 'say-the-word';
const image = `registry.example/solver@sha256:${'a'.repeat(64)}`;
const withImages = wordFiles({
  submission: [{ kind: 'image', schema: { type: 'string' } }],
  criteria: [{ name: 'given', title: 'The word', grader: { kind: 'equals', of: 'answer', to: 'expected/word' } }],
  sandbox: { profiles: ['image'] },
});

it('an image that is refused ends as invalid by verification, which says why even where hidden cases would follow', async () => {
  await using house = await openHouse(database);
  await house.publish(withImages);
  const { driver } = fakeDriver(
    async (task) => answerOf(task),
    async () => ({ ok: false, fault: 'participant', message: 'the image has 900 layers, at most 64 are accepted' }),
  );
  await house.start({
    sandboxes: [
      { ...driver, profiles: ['image'], probe: async () => ({ available: true, profiles: ['image'], gvisor: false, detail: '' }) },
    ],
  });
  const id = await house.submit(slug, { kind: 'image', image });
  const row = await house.settled(id);
  expect(row).toMatchObject({
    status: 'done',
    outcome: 'invalid',
    need: 'image',
    attempt: 1,
    attempt_cost: 'spent',
    score: null,
    verdict: null,
  });
  const view = await showEvaluation(house.db, id);
  expect(view?.reason).toMatchObject({
    code: 'submission_refused',
    faultOf: 'participant',
    message: expect.stringContaining('900 layers'),
  });
  expect(await listCases(house.db, id, { limit: 10 })).toMatchObject({ items: [] });
  expect(SubmissionView.shape.evaluation.safeParse(view).success).toBe(true);
});

it('what cases leave behind is kept, and read back by place', async () => {
  await using house = await openHouse(database);
  await house.publish(wordFiles());
  const { driver } = fakeDriver(
    async (task) => ({ ...answerOf(task), artifacts: [{ path: 'note.txt', bytes: Buffer.from(task.id) }] }) as CaseRun,
  );
  await house.start({ sandboxes: [driver] });
  const id = await house.submit(slug, rightProgram);
  expect(await house.settled(id)).toMatchObject({ status: 'done', outcome: 'pass' });
  const found = await readArtifact(house.db, house.blobs, id, { caseId: 'p1', trial: 0, index: 0 });
  expect(Buffer.from(found?.bytes ?? []).toString()).toBe('p1');
  expect(await readArtifact(house.db, house.blobs, id, { caseId: 'h0', trial: 0, index: 0 })).toBeNull();
});

const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-refused-'));
afterAll(() => rm(socketFolder, { recursive: true, force: true }));

describeWith('docker', engine.state, 'an archive, through every stage', () => {
  it.each([
    [
      'that is honest passes',
      zipOf([
        { name: 'main.py', data: 'from lib import word\n\ndef solve(task, target):\n    return word(task["id"])\n' },
        { name: 'lib.py', data: 'def word(of):\n    return "word-" + of\n' },
      ]),
      'pass',
      null,
    ],
    [
      'that climbs out is invalid',
      tarOf([
        { name: 'main.py', data: 'x' },
        { name: '../../x', data: 'x' },
      ]),
      'invalid',
      /"\.\.\/\.\.\/x" leads out/,
    ],
  ])('%s', async (_, bytes, outcome, said) => {
    await using driver = dockerDriver({
      dockerHost: engine.dockerHost,
      socketFolder,
      images: engine.images,
      workerId: `refused-${process.pid}`,
      poolBytes: 0,
    });
    await using house = await openHouse(database);
    await house.publish(wordFiles());
    await house.start({ sandboxes: [driver] });
    const id = await house.submit(slug, { kind: 'program', language: 'python', archive: bytes.toString('base64') });
    const row = await house.settled(id);
    expect(row).toMatchObject({ status: 'done', outcome, need: 'python' });
    const message = (await showEvaluation(house.db, id))?.reason?.message ?? null;
    expect(message).toEqual(said === null ? null : expect.stringMatching(said));
  });
});
