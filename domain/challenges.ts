import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { ChallengeDetail, JudgeMoney, RubricSource, RubricWords } from '../contracts/api.ts';
import type { Json } from '../contracts/json.ts';
import { demandsOf, graderProfiles, Need, needOfAll } from '../contracts/queue.ts';
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
  /** Whether money may hang on what its judges say; a rubric with judges holds none when absent. */
  judgeMoney?: JudgeMoney;
}

/**
 * Makes a rubric version the one its challenge is judged by; the challenge is made when its name is new. A version is
 * stored once and never changes; publishing it again only makes it current again. `created`: the version is new here.
 * Throws when a file's bytes are not what its hash says.
 */
export async function publishRubric(db: Db, blobs: Blobs, given: NewRubric): Promise<{ challengeId: string; created: boolean }> {
  const files = await storeFiles(blobs, given);
  return inTransaction(db, async (trx) => {
    const { challengeId, changed } = await upsertChallenge(trx, given);
    const created = await insertVersion(trx, challengeId, given, files);
    if (changed) await rebuildStandings(trx, challengeId, given.hash);
    return { challengeId, created };
  });
}

/**
 * Stores a rubric version beside the one its challenge is judged by, which stays. `false`: there is no challenge of that
 * name. Throws as `publishRubric` does.
 */
export async function storeVersion(db: Db, blobs: Blobs, given: NewRubric): Promise<boolean> {
  const files = await storeFiles(blobs, given);
  return inTransaction(db, async (trx) => {
    const challenge = await trx.selectFrom('challenge').select('id').where('slug', '=', given.rubric.name).executeTakeFirst();
    if (challenge === undefined) return false;
    await insertVersion(trx, challenge.id, given, files);
    return true;
  });
}

/** Makes a stored version the one its challenge is judged by, with the standings of that version. Throws when it is not stored. */
export function makeCurrent(db: Db, hash: string): Promise<void> {
  return inTransaction(db, async (trx) => {
    const version = await trx.selectFrom('rubric_version').select('document').where('hash', '=', hash).executeTakeFirst();
    if (version === undefined) throw new Error(`there is no stored rubric ${hash}`);
    const { challengeId, changed } = await upsertChallenge(trx, { rubric: version.document as unknown as Rubric, hash });
    if (changed) await rebuildStandings(trx, challengeId, hash);
  });
}

async function storeFiles(blobs: Blobs, given: NewRubric): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  for (const { path, bytes, sha256 } of given.files) {
    if ((await blobs.put(bytes)) !== sha256) throw new Error(`the bytes of ${path} do not have the hash ${sha256}`);
    files.push({ path, bytes: bytes.byteLength, sha256 });
  }
  return files;
}

/** `false`: it was there already. */
async function insertVersion(trx: Trx, challengeId: string, given: NewRubric, files: StoredFile[]): Promise<boolean> {
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
      judge_money: JSON.stringify(storableJson(given.judgeMoney ?? notExamined(given.rubric))),
    })
    .onConflict((conflict) => conflict.column('hash').doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}

const notExamined = ({ judges }: Rubric): JudgeMoney =>
  judges.length === 0
    ? { judged: false, holdsMoney: true, reasons: [] }
    : { judged: true, holdsMoney: false, reasons: ['nobody has examined whether its judges are calibrated'] };

async function upsertChallenge(
  trx: Trx,
  { rubric, hash }: Pick<NewRubric, 'rubric' | 'hash'>,
): Promise<{ challengeId: string; changed: boolean }> {
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

/** Every need a submission to this rubric can have: of one of its sandbox profiles for code, of its grader programs, or none. */
function needsOf(rubric: Rubric): Need[] {
  const demands = demandsOf(rubric);
  const offered = rubric.sandbox?.profiles ?? [];
  const needs = rubric.submission.flatMap(({ kind }): (Need | null)[] => {
    const graders = graderProfiles(rubric.criteria, kind);
    if (kind !== 'program' && kind !== 'image') return [needOfAll(null, graders, demands)];
    return offered.filter((profile) => (profile === 'image') === (kind === 'image')).map((own) => needOfAll(own, graders, demands));
  });
  return Need.options.filter((need) => needs.includes(need));
}

const shownCases = 200;

/** Everything a participant reads about a challenge; null when there is none of that name. */
export async function showChallenge(db: Db, slug: string): Promise<ChallengeDetail | null> {
  const row = await challengeRows(db)
    .select(['r.readme', 'r.words', 'r.counts', 'r.needs', 'r.judge_money'])
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
    judgeMoney: row.judge_money as unknown as JudgeMoney,
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
