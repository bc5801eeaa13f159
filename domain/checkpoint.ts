import { sql } from 'kysely';
import type { CaseResult } from '../contracts/evaluation.ts';
import type { Db } from './db/client.ts';
import { type CaseRow, toCaseResult } from './case-rows.ts';

/** The settled results so far, with their grades: what a next attempt does not run again and what verification reads. */
export async function checkpoint(db: Db, evaluationId: string): Promise<CaseResult[]> {
  const { rows } = await sql<CaseRow>`
    select c.*, g.grades from case_result c
    left join lateral (
      select jsonb_agg(jsonb_build_object('criterion', criterion, 'grader', grader, 'status', status, 'score', score, 'evidence', evidence)
        order by position) as grades
      from grade where evaluation_id = c.evaluation_id and trial = c.trial and case_id = c.case_id
    ) g on true
    where c.evaluation_id = ${evaluationId} and c.settled
    order by c.trial, c.case_id`.execute(db);
  return rows.map(toCaseResult);
}
