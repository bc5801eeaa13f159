import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationEvent } from '../../contracts/events.ts';
import { until } from '../../test/setup/until.ts';
import { type TestDatabase, testDatabase } from '../../test/setup/with-database.ts';
import { appendEvents } from './append.ts';
import { listenForEvents } from './listen.ts';
import { ensureEventPartitions, lowestId } from './partitions.ts';
import { readEvents } from './read.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await database.pool.query(`
    insert into account (id, name, kind, token_hash) values ('${account}', 'someone', 'local', '${'a'.repeat(64)}');
    begin;
    insert into challenge (id, slug, rubric_hash, title, summary, tags, risk_tier, demonstration)
      values ('${challenge}', 'c', '${rubric}', 't', 's', '{}', 'low', true);
    insert into rubric_version (hash, challenge_id, document, readme, words, files, counts, public_cases, needs)
      values ('${rubric}', '${challenge}', '{}', '', '[]', '[]', '{}', '[]', '{}');
    commit;
  `);
});
afterAll(() => database[Symbol.asyncDispose]());

const [account, challenge, rubric] = [uuid(), uuid(), 'b'.repeat(64)];

async function evaluation(id: string = uuid()): Promise<string> {
  const submission = uuid();
  await database.pool.query(
    `insert into submission (id, challenge_id, account_id, title, kind, content_hash, content_bytes) values ($1, $2, $3, 't', 'answers', $4, 1)`,
    [submission, challenge, account, rubric],
  );
  await database.pool.query(
    `insert into evaluation (id, submission_id, rubric_hash, phase, splits, hidden_rounding, progress_of, seed_commitment, simulated)
     values ($1, $2, $3, 'dev', '{public}', 0.01, 1, $3, true)`,
    [id, submission, rubric],
  );
  return id;
}

const split = (cases: number): EvaluationEvent => ({ kind: 'split', split: 'public', state: 'started', cases });
const append = (id: string, events: EvaluationEvent[]) => database.db.transaction().execute((trx) => appendEvents(trx, id, events));

describe('events', () => {
  it('come back in order, from any number on, at most as many as asked for', async () => {
    const id = await evaluation();
    expect(await append(id, [split(1), split(2)])).toBe(2);
    expect(await append(id, [split(3)])).toBe(3);
    const all = await readEvents(database.db, id, 0, 100);
    expect(all.map((event) => [event.seq, event.event])).toEqual([
      [1, split(1)],
      [2, split(2)],
      [3, split(3)],
    ]);
    expect(all[0]).toMatchObject({ evaluationId: id, at: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect((await readEvents(database.db, id, 1, 1)).map((event) => event.seq)).toEqual([2]);
    expect(await readEvents(database.db, id, 3, 10)).toEqual([]);
  });

  it('never leave a gap behind a reader: a number is visible only after all before it, under 20 writers', async () => {
    const id = await evaluation();
    let last = 0;
    let stop = false;
    const reader = (async () => {
      while (!stop || last < 100) {
        for (const { seq } of await readEvents(database.db, id, last, 1_000)) {
          expect(seq).toBe(last + 1);
          last = seq;
        }
      }
    })();
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        for (let i = 0; i < 5; i++) await append(id, [split(i)]);
      }),
    );
    stop = true;
    await reader;
    expect(last).toBe(100);
  });

  it('disappear with the transaction they were written in', async () => {
    const id = await evaluation();
    const failed = database.db.transaction().execute(async (trx) => {
      await appendEvents(trx, id, [split(1)]);
      throw new Error('rolled back');
    });
    await expect(failed).rejects.toThrow('rolled back');
    expect(await append(id, [split(2)])).toBe(1);
  });

  it('survive text that PostgreSQL cannot store', async () => {
    const id = await evaluation();
    const reason = 'a\u0000b\ud800c 😀';
    await append(id, [{ kind: 'case', caseId: reason, split: 'public', trial: 0, end: 'fault', score: null, done: 1, of: 1 }]);
    const [stored] = await readEvents(database.db, id, 0, 1);
    expect(stored?.event).toMatchObject({ caseId: 'a\ufffdb\ufffdc 😀' });
  });

  it('refuse an evaluation that does not exist', async () => {
    await expect(append(uuid(), [split(1)])).rejects.toThrow('there is no evaluation');
  });
});

describe('listening', () => {
  it('wakes who follows that evaluation, after the commit, and nobody else', async () => {
    const [mine, other] = [await evaluation(), await evaluation()];
    await using listener = await listenForEvents(database.url);
    const woken: string[] = [];
    const stop = listener.subscribe(mine, () => woken.push('first'));
    listener.subscribe(mine, () => woken.push('second'));
    await append(other, [split(1)]);
    await append(mine, [split(1)]);
    await until('both', () => woken.length === 2);
    stop();
    await append(mine, [split(2)]);
    await until('the one that stayed', () => woken.length === 3);
    expect(woken.toSorted()).toEqual(['first', 'second', 'second']);
  });

  it('connects again when its connection is cut, and wakes everybody then', async () => {
    const id = await evaluation();
    const lost: Error[] = [];
    await using listener = await listenForEvents(database.url, (error) => lost.push(error));
    let wakes = 0;
    listener.subscribe(id, () => wakes++);
    await database.pool.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'collective events' and datname = $1",
      [database.name],
    );
    await until('woken after the cut', () => wakes === 1);
    expect(lost.length).toBeGreaterThan(0);
    await append(id, [split(1)]);
    await until('woken by the event', () => wakes === 2);
  });

  it('rejects at once when there is no such server', async () => {
    await expect(listenForEvents('postgresql://x:y@127.0.0.1:1/none')).rejects.toThrow();
  });
});

describe('partitions', () => {
  const named = async () => {
    const rows = await database.pool.query<{ name: string }>(
      "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'event'::regclass order by 1",
    );
    return rows.rows.map((row) => row.name);
  };

  it('are there for this month and the next two, and one for everything else', async () => {
    expect(await named()).toHaveLength(4);
    const id = await evaluation();
    await append(id, [split(1)]);
    const { rows } = await database.pool.query('select tableoid::regclass::text as name from event where evaluation_id = $1', [id]);
    expect(rows).toEqual([{ name: `event_${new Date().toISOString().slice(0, 7).replace('-', '_')}` }]);
  });

  it('follow the calendar, over the end of the year, and are made once', async () => {
    const december = new Date('2031-12-15T00:00:00Z');
    expect(await ensureEventPartitions(database.pool, december)).toEqual(['event_2031_12', 'event_2032_01', 'event_2032_02']);
    expect(await ensureEventPartitions(database.pool, december)).toEqual([]);
    const id = await evaluation(uuid({ msecs: Date.UTC(2032, 0, 31, 23, 59, 59, 999) }));
    await append(id, [split(1)]);
    const { rows } = await database.pool.query('select tableoid::regclass::text as name from event where evaluation_id = $1', [id]);
    expect(rows).toEqual([{ name: 'event_2032_01' }]);
  });

  it('leave a month alone that already has rows in the default partition, and lose none', async () => {
    const id = await evaluation(uuid({ msecs: Date.UTC(2040, 4, 5) }));
    await append(id, [split(1)]);
    expect(await ensureEventPartitions(database.pool, new Date('2040-04-01T00:00:00Z'))).toEqual(['event_2040_04', 'event_2040_06']);
    expect(await readEvents(database.db, id, 0, 10)).toHaveLength(1);
  });

  it('begin at the smallest id of their month', () => {
    expect(lowestId(new Date('2026-11-01T00:00:00Z'))).toBe('01a19467-e800-0000-0000-000000000000');
    expect(lowestId(new Date(Date.UTC(2026, 10, 1))) < uuid({ msecs: Date.UTC(2026, 10, 1) })).toBe(true);
    expect(uuid({ msecs: Date.UTC(2026, 10, 1) - 1 }) < lowestId(new Date(Date.UTC(2026, 10, 1)))).toBe(true);
  });
});
