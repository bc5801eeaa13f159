import { sql } from 'kysely';
import type { CaseResult, Grade, Verdict } from '../contracts/evaluation.ts';
import { checkpoint } from './checkpoint.ts';
import type { Db } from './db/client.ts';

/*
 * What there is to grade again. `evaluation` holds the verdict that counts; the grades behind it are those of `grade`, or
 * of the regrading that `regraded_by` names. Only verdicts about the submission itself can be superseded: `invalid` and
 * `limit` say how its run ended, `error` and `cancelled` that there was none.
 */

const regradable = ['pass', 'fail', 'needs_review'] as const;
export type RegradableOutcome = (typeof regradable)[number];

export interface Wanted {
  slug: string;
  toRubricHash: string;
  /** Only these evaluations. */
  ids?: readonly string[] | undefined;
  fromRubricHash?: string | undefined;
  phase?: string | undefined;
  outcome?: RegradableOutcome | undefined;
}

/** Ids of the evaluations that can be graded again by another version of their challenge, oldest first. */
export async function regradableEvaluations(db: Db, wanted: Wanted): Promise<string[]> {
  let query = db
    .selectFrom('evaluation as e')
    .innerJoin('submission as s', 's.id', 'e.submission_id')
    .innerJoin('challenge as c', 'c.id', 's.challenge_id')
    .select('e.id')
    .where('c.slug', '=', wanted.slug)
    .where('e.status', '=', 'done')
    .where('e.outcome', 'in', regradable)
    .where('e.rubric_hash', '!=', wanted.toRubricHash);
  if (wanted.ids !== undefined) query = query.where('e.id', 'in', wanted.ids);
  if (wanted.fromRubricHash !== undefined) query = query.where('e.rubric_hash', '=', wanted.fromRubricHash);
  if (wanted.phase !== undefined) query = query.where('e.phase', '=', wanted.phase);
  if (wanted.outcome !== undefined) query = query.where('e.outcome', '=', wanted.outcome);
  const rows = await query.orderBy('e.id').execute();
  return rows.map((row) => row.id);
}

/** The verdict that counts now, exactly: what a preview is made for and what `apply` compares with. */
export interface VerdictState {
  rubricHash: string;
  outcome: RegradableOutcome;
  resultHash: string;
  verdict: Verdict;
  /** Whose grades count; null for those of the run. */
  regradingId: string | null;
}

export interface Regradable {
  evaluationId: string;
  phase: string;
  contentHash: string;
  seed: string;
  state: VerdictState;
  /** With the grades that count now. */
  results: CaseResult[];
}

/** Reads one; null when it is not (or no longer) one that can be graded again. One snapshot: verdict and grades belong together. */
export function readRegradable(db: Db, evaluationId: string): Promise<Regradable | null> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => {
      const row = await trx
        .selectFrom('evaluation as e')
        .innerJoin('submission as s', 's.id', 'e.submission_id')
        .select(['e.phase', 'e.seed', 'e.rubric_hash', 'e.outcome', 'e.result_hash', 'e.verdict', 'e.regraded_by', 's.content_hash'])
        .where('e.id', '=', evaluationId)
        .where('e.outcome', 'in', regradable)
        .executeTakeFirst();
      if (row === undefined || row.seed === null || row.result_hash === null || row.verdict === null) return null;
      const state: VerdictState = {
        rubricHash: row.rubric_hash,
        outcome: row.outcome as RegradableOutcome,
        resultHash: row.result_hash,
        verdict: row.verdict as unknown as Verdict,
        regradingId: row.regraded_by,
      };
      const results = await withGradesOf(trx, state.regradingId, evaluationId, await checkpoint(trx, evaluationId));
      return { evaluationId, phase: row.phase, contentHash: row.content_hash, seed: row.seed, state, results };
    });
}

/** The stored results with the grades that a regrading gave them; as they are when it is null. */
async function withGradesOf(db: Db, regradingId: string | null, evaluationId: string, results: CaseResult[]): Promise<CaseResult[]> {
  if (regradingId === null) return results;
  const { rows } = await sql<{ trial: number; case_id: string; score: number | null; grades: Grade[] }>`
    select trial, case_id, score, grades from regraded_case
    where regrading_id = ${regradingId} and evaluation_id = ${evaluationId}`.execute(db);
  const given = new Map(rows.map((row) => [`${row.trial}/${row.case_id}`, row]));
  return results.map((result) => {
    const row = given.get(`${result.trial}/${result.caseId}`);
    return row === undefined ? result : { ...result, score: row.score, grades: row.grades };
  });
}
