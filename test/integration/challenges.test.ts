import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listChallenges } from '../../domain/challenge-list.ts';
import { publishRubric, rubricSource, rubricVersion, showChallenge } from '../../domain/challenges.ts';
import { heartbeat } from '../../domain/workers.ts';
import { counts, folder, memoryBlobs, publish, rubricOf, sha256 } from '../setup/records.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

let database: TestDatabase;
const blobs = memoryBlobs();
beforeAll(async () => {
  database = await testDatabase();
  await publish(database.db, blobs, { name: 'trigger-recovery', title: 'Recover the trigger', tags: ['backdoor', 'text'] });
  await publish(database.db, blobs, {
    name: 'pii-extraction',
    title: 'Extract personal data',
    tags: ['privacy', 'text'],
    demonstration: true,
  });
  await publish(database.db, blobs, { name: 'secret-keeper', title: 'Talk the keeper out of it', tags: ['prompt-injection'] });
});
afterAll(() => database[Symbol.asyncDispose]());

const found = async (query: { q?: string; tag?: string }) => {
  const listed = await listChallenges(database.db, { limit: 25, ...query });
  if (!listed.ok) throw new Error(listed.message);
  return listed.items.map((one) => one.slug);
};

describe('listChallenges', () => {
  it('finds by word stem, tag word, typing error and exclusion', async () => {
    expect(await found({ q: 'triggers' })).toEqual(['trigger-recovery']);
    expect(await found({ q: 'privacy' })).toEqual(['pii-extraction']);
    expect(await found({ q: 'personl data' })).toEqual(['pii-extraction']);
    expect(await found({ q: 'text -backdoor' })).toEqual(['pii-extraction']);
    expect(await found({ q: 'zebra crossing' })).toEqual([]);
    expect(await found({ q: '"; drop table challenge; -- \u0000' })).toEqual([]);
    expect(await found({ q: '   ' })).toHaveLength(3);
  });

  it('filters by tag', async () => {
    expect((await found({ tag: 'text' })).sort()).toEqual(['pii-extraction', 'trigger-recovery']);
    expect(await found({ tag: 'text', q: 'recover' })).toEqual(['trigger-recovery']);
    expect(await found({ tag: 'nothing' })).toEqual([]);
  });

  it.each([undefined, 'hidden word hint'])('is paged without gaps or repeats for %s', async (q) => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listChallenges(database.db, { limit: 1, q, cursor });
      if (!page.ok) throw new Error(page.message);
      seen.push(...page.items.map((one) => one.slug));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(3);
    expect(await listChallenges(database.db, { limit: 1, q, cursor: 'forged' })).toMatchObject({ ok: false, code: 'bad_cursor' });
  });
});

describe('publishRubric', () => {
  it('stores a version once, and the latest published is the current one', async () => {
    expect((await publish(database.db, blobs, { name: 'versions' })).created).toBe(true);
    expect((await publish(database.db, blobs, { name: 'versions' })).created).toBe(false);
    const second = await publish(database.db, blobs, { name: 'versions', title: 'Second edition', version: '2' });
    expect(second.created).toBe(true);
    expect(await showChallenge(database.db, 'versions')).toMatchObject({ title: 'Second edition', rubricHash: second.hash });
    expect(await rubricVersion(database.db, sha256('versions 1'))).toMatchObject({ rubric: { name: 'versions' } });
    expect(await rubricVersion(database.db, sha256('versions 3'))).toBeNull();
    expect(await found({ q: 'edition' })).toEqual(['versions']);
  });

  it('refuses bytes that are not what their hash says', async () => {
    const given = { rubric: rubricOf({ name: 'forged' }), hash: sha256('forged'), readme: '', counts, publicCases: [], words: [] };
    const publishing = publishRubric(database.db, blobs, {
      ...given,
      files: [{ path: 'rubric.yaml', bytes: Buffer.from('a'), sha256: sha256('b') }],
    });
    await expect(publishing).rejects.toThrow('do not have the hash');
    expect(await showChallenge(database.db, 'forged')).toBeNull();
  });

  it('serves two processes that publish the same challenge at the same time', async () => {
    const both = await Promise.all([publish(database.db, blobs, { name: 'twice' }), publish(database.db, blobs, { name: 'twice' })]);
    expect(both.map((one) => one.created).sort()).toEqual([false, true]);
  });
});

describe('showChallenge', () => {
  it('shows rubric, form, public cases and whether a live worker can run it', async () => {
    const before = (await showChallenge(database.db, 'trigger-recovery'))!;
    expect(before).toMatchObject({
      submissionKinds: ['answers', 'program'],
      simulated: true,
      publicCaseCount: counts.public,
      publicCases: [{ id: 'p0', key: 'key 0', input: { hint: 0 } }, { id: 'p1' }, { id: 'p2' }, { id: 'p3' }],
      phases: [
        { name: 'development', splits: ['public'], cases: 4 },
        { name: 'final', splits: ['public', 'hidden'], cases: 7 },
        { name: 'confirmation', splits: ['holdout'], cases: 2 },
      ],
      words: [{ heading: 'Task', sentences: ['Guess.'] }],
    });
    expect(before.runnable.map((one) => [one.need, one.available])).toEqual([
      ['none', false],
      ['js', false],
      ['python', false],
    ]);
    const unavailable = [{ need: 'python', reason: 'no engine answers', install: 'install docker.io' }];
    await heartbeat(database.db, { id: uuidv7(), name: 'm', stages: ['evaluate'], needs: ['none', 'js'], unavailable });
    const after = (await showChallenge(database.db, 'trigger-recovery'))!;
    expect(after.runnable).toEqual([
      { need: 'none', available: true, reason: null },
      { need: 'js', available: true, reason: null },
      { need: 'python', available: false, reason: 'no engine answers; to change it: install docker.io' },
    ]);
    expect(await showChallenge(database.db, 'nothing')).toBeNull();
  });
});

describe('rubricSource', () => {
  it('keeps hidden files of a real challenge and shows those of a demonstration', async () => {
    const real = (await rubricSource(database.db, blobs, 'trigger-recovery'))!;
    expect(real.files.map((file) => file.path).sort()).toEqual(['README.md', 'cases/public.jsonl', 'rubric.yaml']);
    expect(JSON.stringify(real)).not.toContain('secret');
    const demonstration = (await rubricSource(database.db, blobs, 'pii-extraction'))!;
    expect(Object.fromEntries(demonstration.files.map((file) => [file.path, file.text]))).toEqual(folder);
    expect(await rubricSource(database.db, blobs, 'nothing')).toBeNull();
  });
});
