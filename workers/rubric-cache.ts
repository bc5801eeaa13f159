import type { Blobs } from '../domain/blobs/blobs.ts';
import { rubricVersion } from '../domain/challenges.ts';
import type { Db } from '../domain/db/client.ts';
import { rubricFromFiles } from '../rubrics/load.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';

/** Published rubric versions, loaded from their blobs and checked against their hash. */
export interface RubricCache {
  get(hash: string): Promise<LoadedRubric>;
}

/** How many loaded rubrics stay in memory; the built-in ones are a few megabytes each. */
const keptInMemory = 16;

/** Nothing is written to disk: two workers of one machine would have to agree about every half-written folder. */
export function rubricCache(db: Db, blobs: Blobs): RubricCache {
  const loaded = new Map<string, Promise<LoadedRubric>>();
  return {
    get(hash) {
      const known = loaded.get(hash);
      const pending = known ?? load(db, blobs, hash);
      // Set anew even when known: a map keeps the order of setting, so its first is what was not asked for the longest.
      loaded.delete(hash);
      loaded.set(hash, pending);
      if (known !== undefined) return known;
      pending.catch(() => {
        if (loaded.get(hash) === pending) loaded.delete(hash);
      });
      const oldest = loaded.keys().next().value;
      if (loaded.size > keptInMemory && oldest !== undefined) loaded.delete(oldest);
      return pending;
    },
  };
}

async function load(db: Db, blobs: Blobs, hash: string): Promise<LoadedRubric> {
  const version = await rubricVersion(db, hash);
  if (version === null) throw new Error(`there is no published rubric ${hash}`);
  const files = new Map<string, Uint8Array>();
  for (const file of version.files) {
    const bytes = await blobs.get(file.sha256);
    if (bytes === null) throw new Error(`blob ${file.sha256} of rubric ${hash} (${file.path}) is missing`);
    files.set(file.path, bytes);
  }
  const read = rubricFromFiles(files, `published rubric ${hash}`);
  if (!read.ok) throw new Error(`rubric ${hash} was published but does not load: ${read.problems[0]?.message ?? 'no reason given'}`);
  if (read.rubric.hash !== hash) throw new Error(`rubric ${hash} was published but its files hash to ${read.rubric.hash}`);
  return read.rubric;
}
