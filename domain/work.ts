import { Reason } from '../contracts/status.ts';
import type { Db } from './db/client.ts';

/** What a stage needs to know about the evaluation it has claimed; everything else is in rubric version and blob. */
export interface ClaimedEvaluation {
  evaluationId: string;
  rubricHash: string;
  phase: string;
  /** Address of the submission's blob: SHA-256 of its canonical JSON. */
  contentHash: string;
  /** 64 hexadecimal digits. */
  seed: string;
  /** What the evaluate stage said when it could not open the submission, by the participant's fault; null when it could. */
  refusal: Reason | null;
}

/** Reads it; whose submission it is, is left out, because the evaluator's role may not read that. Throws when there is none. */
export async function workOf(db: Db, evaluationId: string): Promise<ClaimedEvaluation> {
  const row = await db
    .selectFrom('evaluation as e')
    .innerJoin('submission as s', 's.id', 'e.submission_id')
    .innerJoin('evaluation_seed as seed', 'seed.evaluation_id', 'e.id')
    .select(['e.rubric_hash', 'e.phase', 's.content_hash', 'seed.seed', 'e.refusal'])
    .where('e.id', '=', evaluationId)
    .executeTakeFirst();
  if (row === undefined) throw new Error(`there is no evaluation ${evaluationId}`);
  const refusal = row.refusal === null ? null : Reason.parse(row.refusal);
  return { evaluationId, rubricHash: row.rubric_hash, phase: row.phase, contentHash: row.content_hash, seed: row.seed, refusal };
}
