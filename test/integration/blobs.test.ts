import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Blobs, smallBlobBytes } from '../../domain/blobs/blobs.ts';
import { folderBlobs } from '../../domain/blobs/folder.ts';
import { storedBlobs } from '../../domain/blobs/stored.ts';
import { type Database, openDatabase } from '../../domain/db/client.ts';
import { ensureEvaluatorRole } from '../../domain/db/evaluator-role.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

let database: TestDatabase;
let evaluator: Database;
let folder: string;
let blobs: Blobs;
beforeAll(async () => {
  database = await testDatabase();
  evaluator = openDatabase(await ensureEvaluatorRole(database.url, randomBytes(16).toString('hex')), {
    maxConnections: 4,
    name: 'test evaluator',
  });
  folder = await mkdtemp(join(tmpdir(), 'collective-stored-blobs-'));
  blobs = storedBlobs(database.db, folder, { maxBytes: 100_000 });
});
afterAll(async () => {
  await evaluator[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const rowsOf = async (hash: string): Promise<number> =>
  (await database.db.selectFrom('small_blob').select('hash').where('hash', '=', hash).execute()).length;
const filesIn = async () => (await readdir(folder, { recursive: true })).filter((name) => /[0-9a-f]{64}$/.test(name));

describe('stored blobs', () => {
  it.each([0, 1, smallBlobBytes])('of %i bytes are a row and no file', async (size) => {
    const bytes = randomBytes(size);
    const before = await filesIn();
    const hash = await blobs.put(bytes);
    expect(hash).toBe(hashOf(bytes));
    expect([await rowsOf(hash), await filesIn()]).toEqual([1, before]);
    expect(Buffer.from((await blobs.get(hash))!)).toEqual(bytes);
  });

  it.each([smallBlobBytes + 1, 100_000])('of %i bytes are a file and no row', async (size) => {
    const bytes = randomBytes(size);
    const hash = await blobs.put(bytes);
    expect([await rowsOf(hash), (await filesIn()).filter((name) => name.endsWith(hash)).length]).toEqual([0, 1]);
    expect(Buffer.from((await blobs.get(hash))!)).toEqual(bytes);
  });

  it('that are small are found where an earlier version put them', async () => {
    const bytes = Buffer.from('from before');
    const hash = await folderBlobs(folder).put(bytes);
    expect(Buffer.from((await blobs.get(hash))!)).toEqual(bytes);
  });

  it('are unknown when they were never stored, and refused when the address is no hash', async () => {
    expect(await blobs.get('0'.repeat(64))).toBeNull();
    for (const bad of ['../../../../etc/passwd', '', 'A'.repeat(64)]) await expect(blobs.get(bad)).rejects.toThrow();
    await expect(blobs.put(Buffer.alloc(100_001))).rejects.toThrow(RangeError);
  });

  it('keep any bytes apart when many are stored at once, the same ones once', async () => {
    const many = Array.from({ length: 300 }, (_, i) => randomBytes(i * 7));
    await blobs.putSmall(database.db, [...many, many[5]!, Buffer.alloc(0), Buffer.from([0, 255, 92, 0])]);
    for (const bytes of [...many, Buffer.from([0, 255, 92, 0])]) expect(Buffer.from((await blobs.get(hashOf(bytes)))!)).toEqual(bytes);
    await blobs.putSmall(database.db, []);
  });

  it('are all refused, and none stored, when one of many is too large', async () => {
    const small = randomBytes(10);
    await expect(blobs.putSmall(database.db, [small, Buffer.alloc(smallBlobBytes + 1)])).rejects.toThrow(RangeError);
    expect(await rowsOf(hashOf(small))).toBe(0);
  });

  it('are there when their transaction commits and not otherwise', async () => {
    const bytes = randomBytes(100);
    const crash = database.db.transaction().execute(async (trx) => {
      await blobs.putSmall(trx, [bytes]);
      throw new Error('the process ends here');
    });
    await expect(crash).rejects.toThrow('the process ends here');
    expect(await blobs.get(hashOf(bytes))).toBeNull();
    await database.db.transaction().execute((trx) => blobs.putSmall(trx, [bytes]));
    expect(Buffer.from((await blobs.get(hashOf(bytes)))!)).toEqual(bytes);
  });

  it('are stored once by writers that hold the same ones in different orders, and none of them waits for ever', async () => {
    const shared = Array.from({ length: 50 }, () => randomBytes(40));
    const writers = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? shared : shared.toReversed()));
    await Promise.all(writers.map((all) => database.db.transaction().execute((trx) => blobs.putSmall(trx, all))));
    for (const bytes of shared) expect(await rowsOf(hashOf(bytes))).toBe(1);
  });
});

describe('a row of a small blob', () => {
  it('cannot hold other bytes than its hash says, whoever writes it', async () => {
    const insert = sql`insert into small_blob (hash, bytes) values (${hashOf(Buffer.from('mine'))}, ${Buffer.from('yours')})`;
    for (const { db } of [database, evaluator]) await expect(insert.execute(db)).rejects.toThrow('hash_is_of_the_bytes');
    const large = Buffer.alloc(smallBlobBytes + 1);
    const tooLarge = sql`insert into small_blob (hash, bytes) values (${hashOf(large)}, ${large})`;
    await expect(tooLarge.execute(database.db)).rejects.toThrow('small_blob_bytes_check');
    await blobs.put(Buffer.from('kept'));
    await expect(sql`update small_blob set bytes = bytes`.execute(database.db)).rejects.toThrow('immutable');
  });

  it('that was damaged below the database is not given out', async () => {
    const hash = await blobs.put(Buffer.from('to be damaged'));
    // What a broken disk does, the constraint and the trigger would refuse.
    await sql`alter table small_blob drop constraint hash_is_of_the_bytes`.execute(database.db);
    await sql`alter table small_blob disable trigger small_blob_immutable`.execute(database.db);
    await sql`update small_blob set bytes = 'other' where hash = ${hash}`.execute(database.db);
    await expect(blobs.get(hash)).rejects.toThrow(`blob ${hash} is damaged`);
    await sql`delete from small_blob where hash = ${hash}`.execute(database.db);
    await sql`alter table small_blob enable trigger small_blob_immutable`.execute(database.db);
    await sql`alter table small_blob add constraint hash_is_of_the_bytes check (hash = encode(sha256(bytes), 'hex'))`.execute(database.db);
  });

  it('can be read and added by hosts that run submitted code, and neither changed nor removed', async () => {
    const theirs = storedBlobs(evaluator.db, folder);
    const hash = await theirs.put(Buffer.from('a transcript'));
    await evaluator.db.transaction().execute((trx) => theirs.putSmall(trx, [Buffer.from('a log')]));
    expect(Buffer.from((await theirs.get(hash))!).toString()).toBe('a transcript');
    for (const change of ['update small_blob set bytes = bytes', 'delete from small_blob', 'truncate small_blob'])
      await expect(evaluator.pool.query(change), change).rejects.toThrow('permission denied');
  });

  it('is no place for a file: the large one of the same host goes to its folder', async () => {
    const mine = await mkdtemp(join(folder, 'host-'));
    const hash = await storedBlobs(evaluator.db, mine).put(Buffer.alloc(smallBlobBytes + 1));
    expect(await readdir(mine)).toEqual([hash.slice(0, 2)]);
    await writeFile(join(mine, hash.slice(0, 2), hash.slice(2, 4), hash), 'x');
    await expect(storedBlobs(evaluator.db, mine).get(hash)).rejects.toThrow('damaged');
  });
});
