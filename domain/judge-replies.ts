import { sql } from 'kysely';
import { canonicalJson } from '../contracts/canonical.ts';
import { ChatReply, type ReplyCache } from '../contracts/chat.ts';
import { parseBoundedJson } from '../contracts/json.ts';
import type { Db } from './db/client.ts';
import { gathered } from './gathered.ts';

/** Largest reply that is kept; the table has the same CHECK. */
const mostBytes = 262_144;
/** A retry comes within hours; what is older than this has no evaluation that waits for it. */
const keptDays = 30;

/**
 * Judges' replies in the database, where the next worker finds them. Every host that runs submitted code can write here,
 * so what is read is checked by schema, counts as absent when it is no reply, and is for grading only: verification has
 * no such cache.
 */
export function storedReplies(db: Db): ReplyCache {
  const read = gathered((keys: readonly string[]) => readAll(db, keys), mostAtOnce);
  const write = gathered((kept: readonly Kept[]) => writeAll(db, kept), mostAtOnce);
  return {
    get: async (key) => {
      const text = await read(key);
      if (text === null) return null;
      const parsed = parseBoundedJson(Buffer.from(text), { maxBytes: mostBytes, maxDepth: 16 });
      const reply = ChatReply.safeParse(parsed.ok ? parsed.value : null);
      return reply.success ? reply.data : null;
    },
    put: async (key, reply) => {
      const text = canonicalJson(reply);
      if (Buffer.byteLength(text) <= mostBytes) await write({ key, reply: text });
    },
    forget: async (keys) => {
      if (keys.length > 0) await db.deleteFrom('judge_reply').where('key', 'in', keys).execute();
    },
  };
}

/** Cases are judged side by side, and a statement for each of their replies costs more than the reply. */
const mostAtOnce = 32;

interface Kept {
  key: string;
  reply: string;
}

async function readAll(db: Db, keys: readonly string[]): Promise<(string | null)[]> {
  const { rows } = await sql<Kept>`select key, reply from judge_reply where key = any(${keys}::text[])`.execute(db);
  const found = new Map(rows.map(({ key, reply }) => [key, reply]));
  return keys.map((key) => found.get(key) ?? null);
}

/** In the order of the keys: two statements that hold some of the same in different orders would wait for each other. */
async function writeAll(db: Db, kept: readonly Kept[]): Promise<boolean[]> {
  const sorted = kept.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const [keys, replies] = [sorted.map(({ key }) => key), sorted.map(({ reply }) => reply)];
  await sql`
    insert into judge_reply (key, reply) select * from unnest(${keys}::text[], ${replies}::text[])
    on conflict (key) do nothing`.execute(db);
  return kept.map(() => true);
}

/** Deletes replies that nobody will ask for any more; returns how many. */
export async function forgetOldReplies(db: Db): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from judge_reply where created_at < now() - make_interval(days => ${keptDays})`.execute(db);
  return Number(numAffectedRows ?? 0);
}
