import { Buffer } from 'node:buffer';
import { sql } from 'kysely';
import { Sha256 } from '../../contracts/ids.ts';
import type { Db } from '../db/client.ts';
import { type Blobs, smallBlobBytes } from './blobs.ts';
import { folderBlobs, sha256 } from './folder.ts';

/**
 * Blobs of the platform: small ones as rows of `small_blob`, larger ones as files in `folder`. A small one that an earlier
 * version stored as a file is found there. `maxBytes` bounds one blob.
 */
export function storedBlobs(db: Db, folder: string, options: { maxBytes?: number } = {}): Blobs {
  const files = folderBlobs(folder, options);
  return {
    put: async (bytes) => {
      if (bytes.byteLength > smallBlobBytes) return await files.put(bytes);
      const [hash] = await insertSmall(db, [bytes]);
      return hash!;
    },
    putSmall: async (trx, all) => void (await insertSmall(trx, all)),
    get: async (hash) => {
      // Checked here as well: what is no hash is a bug of the caller, not a blob that is missing.
      const row = await db.selectFrom('small_blob').select('bytes').where('hash', '=', Sha256.parse(hash)).executeTakeFirst();
      if (row === undefined) return await files.get(hash);
      if (sha256(row.bytes) === hash) return row.bytes;
      throw new Error(`blob ${hash} is damaged: its row in small_blob no longer has that content. Restore it from a copy.`);
    },
  };
}

/**
 * One statement and two parameters of any number of blobs: as an array, the driver would spell each of them in hexadecimal.
 * They are inserted in the order of their hashes, because who finds a row of an open transaction waits for its end: two
 * transactions that hold some of the same texts in different orders would wait for each other.
 */
async function insertSmall(db: Db, all: readonly Uint8Array[]): Promise<string[]> {
  const tooLarge = all.find((bytes) => bytes.byteLength > smallBlobBytes);
  if (tooLarge !== undefined) throw new RangeError(`a small blob of ${tooLarge.byteLength} bytes is above the limit of ${smallBlobBytes}`);
  const hashes = all.map(sha256);
  const distinct = [...new Map(hashes.map((hash, i) => [hash, all[i]!]))].toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (distinct.length === 0) return hashes;
  const list = JSON.stringify(distinct.map(([hash, bytes]) => ({ hash, size: bytes.byteLength })));
  await sql`
    insert into small_blob (hash, bytes)
    select hash, substring(${Buffer.concat(distinct.map(([, bytes]) => bytes))}::bytea from upto - size + 1 for size) from (
      select hash, size, sum(size) over (order by hash collate "C")::int as upto
      from jsonb_to_recordset(${list}::jsonb) as g(hash text, size int)
    ) as placed
    order by hash collate "C"
    on conflict do nothing`.execute(db);
  return hashes;
}
