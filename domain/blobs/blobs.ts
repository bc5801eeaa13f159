import type { Db } from '../db/client.ts';

/*
 * Bytes are addressed by the SHA-256 of their content, and other rows hold the hash. An address can therefore never mean
 * other bytes than it did, writing twice is harmless, and a damaged disk is noticed at reading instead of being graded.
 */

export interface Blobs {
  /** Stores the bytes durably and returns their SHA-256. Throws RangeError above the size limit. */
  put(bytes: Uint8Array): Promise<string>;
  /**
   * Stores many at once through `trx`: they are there when it commits and not otherwise. Throws RangeError, with nothing
   * stored, when one is larger than `smallBlobBytes`. Once per transaction at most: see `insertSmall`.
   */
  putSmall(trx: Db, all: readonly Uint8Array[]): Promise<void>;
  /** The bytes of that SHA-256, checked; null when there are none. Throws when they are damaged. */
  get(hash: string): Promise<Uint8Array | null>;
}

/** Up to this size a blob is a row; the table has the same CHECK. */
export const smallBlobBytes = 32_768;
