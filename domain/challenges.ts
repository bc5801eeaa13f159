import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { ChallengeDetail, RubricSource, RubricWords } from '../contracts/api.ts';
import type { Json } from '../contracts/json.ts';
import { demandsOf, Need, needFor } from '../contracts/queue.ts';
import type { Rubric, Split } from '../contracts/rubric.ts';
import type { Blobs } from './blobs/blobs.ts';
import { challengeRows, toSummary } from './challenge-list.ts';
import type { Db } from './db/client.ts';
import { storableJson, storableText } from './db/storable-text.ts';
import { readableFiles, readTexts, type StoredFile } from './rubric-files.ts';
import { rebuildStandings } from './standings.ts';
import { inTransaction, type Trx } from './transaction.ts';
import { liveNeeds } from './workers.ts';

export interface NewRubric {
  rubric: Rubric;
  hash: string;
  readme: string;
  files: readonly { path: string; bytes: Uint8Array; sha256: string }[];
  counts: Record<Split, number>;
  /** All of them: the case pages show their inputs. */
  publicCases: readonly { id: string; key: string; input: Json }[];
  words: RubricWords;
}

/**
 * Makes a rubric version the one its challenge is judged by; the challenge is made when its name is new. A version is
 * stored once and never changes; publishing it again only makes it current again. `created`: the version is new here.
 * Throws when a file's bytes are not what its hash says.
 */
export async function publishRubric(db: Db, blobs: Blobs, given: NewRubric): Promise<{ challengeId: string; created: boolean }> {
  const files: StoredFile[] = [];
  for (const { path, bytes, sha256 } of given.files) {
    if ((await blobs.put(bytes)) !== sha256) throw new Error(`the bytes of ${path} do not have the hash ${sha256}`);
    files.push({ path, bytes: bytes.byteLength, sha256 });
  }
  return inTransaction(db, async (trx) => {
    const { challengeId, changed } = await upsertChallenge(trx, given);
    const inserted = await trx
      .insertInto('rubric_version')
      .values({
        hash: given.hash,
        challenge_id: challengeId,
        document: JSON.stringify(storableJson(given.rubric)),
        readme: storableText(given.readme),
        words: JSON.stringify(storableJson(given.words)),
        files: JSON.stringify(files),
        counts: JSON.stringify(given.counts),
        public_cases: JSON.stringify(storableJson(given.publicCases)),
        needs: needsOf(given.rubric),
      })
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .executeTakeFirst();
    if (changed) await rebuildStandings(trx, challengeId, given.hash);
    return { challengeId, created: inserted.numInsertedOrUpdatedRows === 1n };
  });
}

async function upsertChallenge(trx: Trx, { rubric, hash }: NewRubric): Promise<{ challengeId: string; changed: boolean }> {
  const before = await trx
    .selectFrom('challenge')
    .select('rubric_hash')
    .where('slug', '=', rubric.name)
    .forNoKeyUpdate()
    .executeTakeFirst();
  const shown = {
    rubric_hash: hash,
    title: storableText(rubric.title),
    summary: storableText(rubric.summary),
    tags: rubric.tags,
    risk_tier: rubric.riskTier,
    demonstration: rubric.demonstration,
  };
  const row = await trx
    .insertInto('challenge')
    .values({ id: uuidv7(), slug: rubric.name, ...shown })
    .onConflict((conflict) => conflict.column('slug').doUpdateSet(shown))
    .returning('id')
    .executeTakeFirstOrThrow();
  return { challengeId: row.id, changed: before !== undefined && before.rubric_hash !== hash };
}

/** Every need a submission to this rubric can have: code needs one of its sandbox profiles, all others nothing. */
function needsOf(rubric: Rubric): Need[] {
  const demands = demandsOf(rubric);
  const offered = rubric.sandbox?.profiles ?? [];
  const needs = rubric.submission.flatMap(({ kind }): (Need | null)[] => {
    if (kind !== 'program' && kind !== 'image') return ['none'];
    return offered.filter((profile) => (profile === 'image') === (kind === 'image')).map((profile) => needFor(profile, demands));
  });
  return Need.options.filter((need) => needs.includes(need));
}

const shownCases = 200;

/** Everything a participant reads about a challenge; null when there is none of that name. */
export async function showChallenge(db: Db, slug: string): Promise<ChallengeDetail | null> {
  const row = await challengeRows(db)
    .select(['r.readme', 'r.words', 'r.counts', 'r.needs'])
    .select(
      sql<ChallengeDetail['publicCases']>`jsonb_path_query_array(r.public_cases, ${`$[0 to ${shownCases - 1}]`}::jsonpath)`.as(
        'public_cases',
      ),
    )
    .where('c.slug', '=', slug)
    .executeTakeFirst();
  if (row === undefined) return null;
  const rubric = row.document as unknown as Rubric;
  const counts = row.counts as Record<Split, number>;
  const live = await liveNeeds(db);
  return {
    ...toSummary(row),
    notice: rubric.notice ?? null,
    attribution: rubric.attribution,
    readme: row.readme,
    words: row.words as unknown as RubricWords,
    phases: rubric.phases.map(({ name, title, splits }) => ({
      name,
      title,
      splits,
      cases: [...new Set(splits)].reduce((sum, split) => sum + counts[split], 0),
    })),
    forms: rubric.submission as unknown as Record<string, Json>[],
    publicCases: row.public_cases,
    publicCaseCount: counts.public,
    runnable: Need.options
      .filter((need) => row.needs.includes(need))
      .map((need) => {
        const served = live.needs[need];
        return { need, available: served.available, reason: served.available ? null : `${served.reason}; to change it: ${served.install}` };
      }),
  };
}

/** The readable files of a challenge's current rubric version; see `readableFiles` for which. */
export async function rubricSource(db: Db, blobs: Blobs, slug: string): Promise<RubricSource | null> {
  const row = await db
    .selectFrom('challenge as c')
    .innerJoin('rubric_version as r', 'r.hash', 'c.rubric_hash')
    .select(['r.hash', 'r.document', 'r.files'])
    .where('c.slug', '=', slug)
    .executeTakeFirst();
  if (row === undefined) return null;
  const files = readableFiles(row.document as unknown as Rubric, row.files as unknown as StoredFile[]);
  return { hash: row.hash, files: await readTexts(blobs, files) };
}

/** A rubric version with all its files, for a worker that runs it. */
export async function rubricVersion(db: Db, hash: string): Promise<{ rubric: Rubric; files: StoredFile[] } | null> {
  const row = await db.selectFrom('rubric_version').select(['document', 'files']).where('hash', '=', hash).executeTakeFirst();
  return row === undefined ? null : { rubric: row.document as unknown as Rubric, files: row.files as unknown as StoredFile[] };
}
