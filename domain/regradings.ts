import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { canonicalJson } from '../contracts/canonical.ts';
import type { CaseResult, Grade, Verdict } from '../contracts/evaluation.ts';
import type { Reason } from '../contracts/status.ts';
import type { Usage } from '../contracts/target.ts';
import type { Db } from './db/client.ts';
import { storableJson } from './db/storable-text.ts';
import type { Regradable, VerdictState } from './regrading-state.ts';
import { inTransaction, type Trx } from './transaction.ts';

/*
 * Theory of operation. A preview is made first and holds everything: for each evaluation the exact state it was made for,
 * the new grades and the new verdict. It is filled item by item, then sealed with a hash over all of it; from then on it
 * cannot change, and applying it grades nothing and asks nobody: what an operator has read is what happens. A preview that
 * a crash left unsealed is never shown and never applied.
 */

export interface NewRegrading {
  slug: string;
  toRubricHash: string;
  reason: string;
  accountId: string;
}

/** Begins a preview and returns its id. Throws when the version is not one of that challenge. */
export async function openRegrading(db: Db, { slug, toRubricHash, reason, accountId }: NewRegrading): Promise<string> {
  const id = uuidv7();
  const { rows } = await sql<{ id: string }>`
    insert into regrading (id, challenge_id, to_rubric_hash, reason, created_by)
    select ${id}, c.id, r.hash, ${storableJson(reason)}, ${accountId} from challenge c join rubric_version r on r.challenge_id = c.id
    where c.slug = ${slug} and r.hash = ${toRubricHash} returning id`.execute(db);
  if (rows.length === 0) throw new Error(`${toRubricHash} is no stored version of ${slug}`);
  return id;
}

/** What grading an evaluation again came to. */
export type NewGrades =
  | {
      ok: true;
      verdict: Verdict;
      resultHash: string;
      simulated: boolean;
      judging: Usage;
      /** `transcriptHash`: the blob of what judges were asked this time. */
      cases: readonly { result: CaseResult; transcriptHash: string | null }[];
    }
  | { ok: false; problem: Reason; judging: Usage };

/** Adds one evaluation to a preview that is still being made, in one transaction; throws when it is sealed. */
export async function addItem(db: Db, regradingId: string, of: Regradable, given: NewGrades): Promise<void> {
  const before = new Map(of.results.map((result) => [keyOf(result.trial, result.caseId), result]));
  const cases = (given.ok ? given.cases : []).map(
    ({ result, transcriptHash }): StoredCase => ({
      trial: result.trial,
      case_id: result.caseId,
      score: result.score,
      grades: asStored(result.grades),
      changed: isChanged(before.get(keyOf(result.trial, result.caseId)), result),
      transcript_hash: transcriptHash,
    }),
  );
  const item: StoredItem = asStored({
    evaluation_id: of.evaluationId,
    from: of.state,
    problem: given.ok ? null : given.problem,
    verdict: given.ok ? given.verdict : null,
    result_hash: given.ok ? given.resultHash : null,
    simulated: given.ok ? given.simulated : null,
    judging: given.judging,
  });
  await inTransaction(db, async (trx) => {
    await trx
      .insertInto('regrading_item')
      .values({
        regrading_id: regradingId,
        evaluation_id: item.evaluation_id,
        from_rubric_hash: item.from.rubricHash,
        from_outcome: item.from.outcome,
        from_result_hash: item.from.resultHash,
        from_verdict: JSON.stringify(item.from.verdict),
        from_regrading_id: item.from.regradingId,
        problem: item.problem === null ? null : JSON.stringify(item.problem),
        verdict: item.verdict === null ? null : JSON.stringify(item.verdict),
        result_hash: item.result_hash,
        simulated: item.simulated,
        cases: of.results.length,
        changed_cases: cases.filter((one) => one.changed).length,
        judging: JSON.stringify(item.judging),
        content_hash: itemHash(item, cases),
      })
      .execute();
    await insertCases(trx, regradingId, item.evaluation_id, cases);
  });
}

async function insertCases(trx: Trx, regradingId: string, evaluationId: string, cases: readonly StoredCase[]): Promise<void> {
  await sql`
    insert into regraded_case (regrading_id, evaluation_id, trial, case_id, score, grades, changed, transcript_hash)
    select ${regradingId}, ${evaluationId}, g.* from jsonb_to_recordset(${JSON.stringify(cases)}::jsonb)
      as g(trial int, case_id text, score float8, grades jsonb, changed boolean, transcript_hash text)`.execute(trx);
}

/** Completes a preview: nothing can be added to it or changed in it any more. Returns the hash over all of it. */
export function sealRegrading(db: Db, regradingId: string): Promise<string> {
  return inTransaction(db, async (trx) => {
    // Taken before the items are read: whoever adds one holds it shared.
    await trx.selectFrom('regrading').select('id').where('id', '=', regradingId).forUpdate().executeTakeFirstOrThrow();
    const hash = await regradingHash(trx, regradingId);
    await trx
      .updateTable('regrading')
      .set({ content_hash: hash, sealed_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', regradingId)
      .execute();
    return hash;
  });
}

/** The hash over a preview's own columns and the hashes of its items. */
export async function regradingHash(db: Db, regradingId: string): Promise<string> {
  const { id, challenge_id, to_rubric_hash, reason, created_by } = await db
    .selectFrom('regrading')
    .select(['id', 'challenge_id', 'to_rubric_hash', 'reason', 'created_by'])
    .where('id', '=', regradingId)
    .executeTakeFirstOrThrow();
  const items = await db
    .selectFrom('regrading_item')
    .select(['evaluation_id', 'content_hash'])
    .where('regrading_id', '=', regradingId)
    .orderBy('evaluation_id')
    .execute();
  return sha256({ id, challenge_id, to_rubric_hash, reason, created_by, items: items.map((item) => ({ ...item })) });
}

export interface StoredItem {
  evaluation_id: string;
  from: VerdictState;
  problem: Reason | null;
  verdict: Verdict | null;
  result_hash: string | null;
  simulated: boolean | null;
  judging: Usage;
}

export interface StoredCase {
  trial: number;
  case_id: string;
  score: number | null;
  grades: Grade[];
  changed: boolean;
  transcript_hash: string | null;
}

/** The hash over everything an item holds, its cases included, in whatever order they come. */
export function itemHash(item: StoredItem, cases: readonly StoredCase[]): string {
  const order = (one: StoredCase) => keyOf(one.trial, one.case_id);
  return sha256({ item, cases: cases.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)) });
}

/** What comes back from jsonb: the hash is taken over this, or it could never be checked against the rows. */
const asStored = <T>(value: T): T => JSON.parse(JSON.stringify(storableJson(value))) as T;

const sha256 = (value: object): string => createHash('sha256').update(canonicalJson(value)).digest('hex');
const keyOf = (trial: number, caseId: string): string => `${trial}/${caseId}`;

/** Is a grade or the case's score another one? Evidence alone changes nothing about a result. */
function isChanged(before: CaseResult | undefined, after: CaseResult): boolean {
  const core = (result: CaseResult) => [result.score, result.grades.map(({ criterion, status, score }) => [criterion, status, score])];
  return before === undefined || JSON.stringify(core(before)) !== JSON.stringify(core(after));
}
