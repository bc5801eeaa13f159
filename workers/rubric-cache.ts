import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Blobs } from '../domain/blobs/blobs.ts';
import { rubricVersion } from '../domain/challenges.ts';
import type { Db } from '../domain/db/client.ts';
import { loadRubric } from '../rubrics/load.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';

/** Published rubric versions, written out from their blobs once and checked against their hash. */
export interface RubricCache {
  get(hash: string): Promise<LoadedRubric>;
}

/** How many loaded rubrics stay in memory; the built-in ones are a few megabytes each. */
const keptInMemory = 16;

export function rubricCache(db: Db, blobs: Blobs, folder: string): RubricCache {
  const loaded = new Map<string, Promise<LoadedRubric>>();
  return {
    get(hash) {
      const known = loaded.get(hash);
      const pending = known ?? load(db, blobs, folder, hash);
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

async function load(db: Db, blobs: Blobs, folder: string, hash: string): Promise<LoadedRubric> {
  const home = join(folder, hash);
  const present = await loadRubric(home);
  if (present.ok && present.rubric.hash === hash) return present.rubric;
  await writeOut(db, blobs, folder, hash);
  const written = await loadRubric(home);
  if (!written.ok) throw new Error(`rubric ${hash} was published but does not load: ${written.problems[0]?.message ?? 'no reason given'}`);
  if (written.rubric.hash !== hash) throw new Error(`rubric ${hash} was published but its files hash to ${written.rubric.hash}`);
  return written.rubric;
}

/** Writes beside the final place and renames, so that a killed worker leaves no half rubric behind. */
async function writeOut(db: Db, blobs: Blobs, folder: string, hash: string): Promise<void> {
  const version = await rubricVersion(db, hash);
  if (version === null) throw new Error(`there is no published rubric ${hash}`);
  const draft = join(folder, `.${hash}-${randomUUID()}`);
  try {
    for (const file of version.files) {
      const bytes = await blobs.get(file.sha256);
      if (bytes === null) throw new Error(`blob ${file.sha256} of rubric ${hash} (${file.path}) is missing`);
      const path = join(draft, file.path);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(path, bytes);
    }
    const home = join(folder, hash);
    await rm(home, { recursive: true, force: true });
    await rename(draft, home);
  } catch (error) {
    // ENOTEMPTY, EEXIST: another stage of this machine was faster; its copy is checked by the caller.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
