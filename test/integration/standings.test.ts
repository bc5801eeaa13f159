import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listChallenges } from '../../domain/challenge-list.ts';
import type { Db } from '../../domain/db/client.ts';
import { finish } from '../../domain/finishing.ts';
import { listStandings } from '../../domain/standings.ts';
import { memoryBlobs, publish, resultHash, submit, toRunning, toVerifying, usage, verdictOf } from '../setup/records.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

let database: TestDatabase;
let db: Db;
const blobs = memoryBlobs();
beforeEach(async () => {
  database = await testDatabase();
  db = database.db;
  await publish(db, blobs);
});
afterEach(() => database[Symbol.asyncDispose]());

const judged = async (
  participant: string,
  score: number,
  interval: [number, number] | null = null,
  phase = 'development',
  changes = {},
): Promise<string> => {
  const { evaluationId, submissionId } = await submit(db, blobs, { participant, phase, title: `${participant} ${score}` });
  const lease = await toVerifying(db, await toRunning(db, evaluationId));
  await finish(db, lease, { verdict: verdictOf(score, interval, changes), resultHash, usage, simulated: false });
  return submissionId;
};
const standing = async (phase?: string) => {
  const listed = await listStandings(db, 'guess-the-word', { phase, limit: 100 });
  if (!listed?.ok) throw new Error('no standing');
  return listed.items;
};

describe('a standing', () => {
  it('holds the best of each participant, the earlier of equals, of pass and fail only', async () => {
    await judged('ada', 0.4);
    const best = await judged('ada', 0.9);
    await judged('ada', 0.9);
    await judged('ada', 0.6);
    await judged('bob', 0.1);
    await judged('eve', 0.95, null, 'development', { outcome: 'needs_review' });
    await judged('eve', 0.95, null, 'development', { outcome: 'limit' });
    expect((await standing()).map((row) => [row.rank, row.participant, row.score, row.outcome, row.submissionId === best])).toEqual([
      [1, 'ada', 0.9, 'pass', true],
      [2, 'bob', 0.1, 'fail', false],
    ]);
    const challenges = await listChallenges(db, { limit: 10 });
    expect(challenges.ok && challenges.items[0]).toMatchObject({ bestScore: 0.9, submissions: 7 });
  });

  it('does not hide a pass behind an earlier fail that is rounded to the same score, nor the other way round', async () => {
    await judged('ada', 0.5, null, 'development', { outcome: 'fail' });
    const passed = await judged('ada', 0.5, null, 'development', { outcome: 'pass' });
    await judged('ada', 0.5, null, 'development', { outcome: 'fail' });
    expect((await standing()).map((row) => [row.participant, row.outcome, row.submissionId === passed])).toEqual([['ada', 'pass', true]]);
  });

  it('does not lose the better of two that finish together', async () => {
    const leases = await Promise.all(
      [0.2, 0.8, 0.5, 0.7].map(async (score) => {
        const { evaluationId } = await submit(db, blobs, { participant: 'ada' });
        return { score, lease: await toVerifying(db, await toRunning(db, evaluationId)) };
      }),
    );
    await Promise.all(
      leases.map(({ lease, score }) => finish(db, lease, { verdict: verdictOf(score), resultHash, usage, simulated: false })),
    );
    expect((await standing()).map((row) => row.score)).toEqual([0.8]);
  });

  it('gives equal scores one rank and says which places the intervals allow', async () => {
    await judged('a', 0.9, [0.85, 0.95]);
    await judged('b', 0.8, [0.7, 0.9]);
    await judged('c', 0.8, [0.75, 0.8]);
    await judged('d', 0.3, [0.2, 0.4]);
    await judged('e', 0.1);
    expect((await standing()).map((row) => [row.participant, row.rank, row.rankRange])).toEqual([
      // b may truly be better than a; c may not: its interval ends below a's.
      ['a', 1, [1, 2]],
      ['b', 2, [1, 3]],
      ['c', 2, [2, 3]],
      ['d', 4, [4, 4]],
      ['e', 5, [5, 5]],
    ]);
  });

  it('ranks hidden phases by what is shown, and holdout phases by yes or no', async () => {
    await judged('a', 0.7149, null, 'final');
    await judged('b', 0.7101, null, 'final');
    await judged('a', 0.9, null, 'confirmation');
    await judged('b', 0.2, null, 'confirmation');
    expect((await standing('final')).map((row) => [row.rank, row.score])).toEqual([
      [1, 0.71],
      [1, 0.71],
    ]);
    expect((await standing('confirmation')).map((row) => [row.participant, row.score, row.interval])).toEqual([
      ['a', 1, null],
      ['b', 0, null],
    ]);
    expect(await standing()).toEqual([]);
  });

  it('begins anew with a new version of the rubric', async () => {
    await judged('ada', 0.9);
    const { evaluationId } = await submit(db, blobs, { participant: 'bob' });
    await publish(db, blobs, { version: '2' });
    expect(await standing()).toEqual([]);
    const lease = await toVerifying(db, await toRunning(db, evaluationId));
    await finish(db, lease, { verdict: verdictOf(1), resultHash, usage, simulated: false });
    expect(await standing()).toEqual([]);
    await judged('ada', 0.3);
    expect((await standing()).map((row) => [row.participant, row.score])).toEqual([['ada', 0.3]]);
    await publish(db, blobs, { version: '1' });
    expect((await standing()).map((row) => [row.participant, row.score])).toEqual([
      ['bob', 1],
      ['ada', 0.9],
    ]);
  });

  it('is paged without gaps or repeats, also through equal scores', async () => {
    for (let i = 0; i < 7; i++) await judged(`p${i}`, i < 4 ? 0.5 : 0.6);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listStandings(db, 'guess-the-word', { limit: 2, cursor });
      if (!page?.ok) throw new Error('no page');
      seen.push(...page.items.map((row) => row.participant));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(['p4', 'p5', 'p6', 'p0', 'p1', 'p2', 'p3']);
    expect(await listStandings(db, 'guess-the-word', { limit: 2, cursor: 'AAAA' })).toMatchObject({ ok: false, code: 'bad_cursor' });
    expect(await listStandings(db, 'nothing', { limit: 2 })).toBeNull();
    expect(await listStandings(db, 'guess-the-word', { limit: 2, phase: 'nothing' })).toBeNull();
  });

  it('answers fast with 100,000 entries', { timeout: 120_000 }, async () => {
    const submissionId = await judged('first', 0.5, [0.45, 0.55]);
    await sql`
      with made as (
        insert into account (id, name, kind) select gen_random_uuid(), 'crowd ' || i, 'sample' from generate_series(1, 100000) i returning id
      ), numbered as (select id, (row_number() over ())::float8 / 100001 as score from made)
      insert into standing (challenge_id, phase, account_id, evaluation_id, submission_id, score, lower, upper, has_interval, outcome, at)
      select t.challenge_id, t.phase, n.id, t.evaluation_id, t.submission_id, n.score, n.score - 0.05, n.score + 0.05, true, 'pass', now()
      from numbered n, standing t where t.submission_id = ${submissionId}`.execute(db);
    await sql`vacuum analyze standing, account`.execute(db);
    const timed = async (cursor?: string) => {
      const started = performance.now();
      const page = await listStandings(db, 'guess-the-word', { limit: 25, cursor });
      if (!page?.ok) throw new Error('no page');
      return { page, ms: performance.now() - started };
    };
    const first = await timed();
    const times = [first.ms];
    for (let i = 0; i < 4; i++) times.push((await timed()).ms);
    const deep = await timed(
      Buffer.from(JSON.stringify({ score: 0.3, at: '2026-01-01T00:00:00Z', account: '01890000-0000-7000-8000-000000000000' })).toString(
        'base64url',
      ),
    );
    console.log(`standings of 100,000: first page ${times.map((ms) => ms.toFixed(0)).join(', ')} ms, deep page ${deep.ms.toFixed(0)} ms`);
    expect(first.page.items).toHaveLength(25);
    expect(deep.page.items[0]!.rank).toBeGreaterThan(60_000);
    expect(Math.min(...times)).toBeLessThan(500);
  });
});
