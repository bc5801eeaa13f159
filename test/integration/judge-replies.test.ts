import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../domain/db/client.ts';
import { ensureEvaluatorRole } from '../../domain/db/evaluator-role.ts';
import { forgetOldReplies, storedReplies } from '../../domain/judge-replies.ts';
import { chatReply } from '../setup/rubrics.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const key = (): string => randomBytes(32).toString('hex');
const { reply } = chatReply('yes \u0000 \u2028 🙂');

describe('stored replies of judges', () => {
  it('come back as they were, under the role of hosts that run submitted code', async () => {
    const url = await ensureEvaluatorRole(database.url, randomBytes(16).toString('hex'));
    await using evaluator = openDatabase(url, { maxConnections: 2, name: 'test evaluator' });
    const [replies, at, other] = [storedReplies(evaluator.db), key(), key()];
    expect(await replies.get(at)).toBeNull();
    await replies.put(at, reply);
    await replies.put(at, { ...reply, content: 'raced' });
    expect(await replies.get(at)).toEqual(reply);
    await replies.put(other, reply);
    await replies.forget([at, key()]);
    expect([await replies.get(at), await replies.get(other)]).toEqual([null, reply]);
    await expect(sql`update judge_reply set reply = '{}'`.execute(evaluator.db)).rejects.toThrow('permission denied');
  });

  it('are absent when they are no reply, whatever somebody wrote there', async () => {
    const replies = storedReplies(database.db);
    for (const text of ['', '{"content":', '{"content":"pass"}', 'null']) {
      const at = key();
      await database.db.insertInto('judge_reply').values({ key: at, reply: text }).execute();
      expect(await replies.get(at)).toBeNull();
    }
  });

  it('are not kept when they are too large', async () => {
    const at = key();
    await storedReplies(database.db).put(at, { ...reply, content: 'x'.repeat(262_144) });
    expect(await storedReplies(database.db).get(at)).toBeNull();
  });

  it('are forgotten after 30 days and not before', async () => {
    const replies = storedReplies(database.db);
    const [old, young] = [key(), key()];
    for (const at of [old, young]) await replies.put(at, reply);
    const age = async (at: string, days: number) =>
      await sql`update judge_reply set created_at = now() - make_interval(days => ${days}) where key = ${at}`.execute(database.db);
    await age(old, 31);
    await age(young, 29);
    expect(await forgetOldReplies(database.db)).toBe(1);
    expect([await replies.get(old), await replies.get(young)]).toEqual([null, reply]);
  });
});
