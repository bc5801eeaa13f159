import { sql } from 'kysely';
import { z } from 'zod';
import type { SubmissionView } from '../contracts/api.ts';
import type { SubmissionKind } from '../contracts/submission.ts';
import { type Cancelled, cancel } from './cancelling.ts';
import { badCursor, decodeCursor, type Listed, toPage } from './cursors.ts';
import type { Db } from './db/client.ts';
import { evaluationRows, type EvaluationRow, toEvaluationView } from './evaluation-views.ts';
import { publicUsage } from './usage.ts';

/** Submissions with their latest evaluation. */
function submissionRows(db: Db) {
  return evaluationRows(db)
    .innerJoin('account as a', 'a.id', 's.account_id')
    .select(['s.title', 's.kind', 's.content_hash', 's.content_bytes', 's.sample', 's.created_at as submitted_at', 'a.name as participant'])
    .where(
      'e.id',
      '=',
      sql<string>`(select latest.id from evaluation latest where latest.submission_id = s.id order by latest.id desc limit 1)`,
    );
}

interface SubmissionRow extends EvaluationRow {
  title: string;
  kind: string;
  content_hash: string;
  content_bytes: string;
  sample: boolean;
  submitted_at: Date;
  participant: string;
}

function toSubmissionView(row: SubmissionRow, evaluation: SubmissionView['evaluation']): SubmissionView {
  return {
    id: row.submission_id,
    challenge: row.slug,
    title: row.title,
    kind: row.kind as SubmissionKind,
    contentHash: row.content_hash,
    contentBytes: Number(row.content_bytes),
    participant: row.participant,
    sample: row.sample,
    createdAt: row.submitted_at.toISOString(),
    evaluation,
  };
}

export async function showSubmission(db: Db, id: string): Promise<SubmissionView | null> {
  const row = await submissionRows(db).where('s.id', '=', id).executeTakeFirst();
  if (row === undefined) return null;
  const running = row.status !== 'done' && row.started_at !== null;
  return toSubmissionView(row, toEvaluationView(row, running ? await publicUsage(db, row.id) : null));
}

const Cursor = z.object({ id: z.uuid() });

export interface SubmissionsQuery {
  /** Of one challenge. */
  slug?: string | undefined;
  /** Of one participant. */
  accountId?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

/** One page of submissions, newest first. Usage of running ones is left to their own page. */
export async function listSubmissions(db: Db, query: SubmissionsQuery): Promise<Listed<SubmissionView>> {
  const after = decodeCursor(Cursor, query.cursor);
  if (after === undefined) return badCursor;
  let rows = submissionRows(db);
  if (query.slug !== undefined) rows = rows.where('c.slug', '=', query.slug);
  if (query.accountId !== undefined) rows = rows.where('s.account_id', '=', query.accountId);
  if (after !== null) rows = rows.where('s.id', '<', after.id);
  const found = await rows
    .orderBy('s.id', 'desc')
    .limit(query.limit + 1)
    .execute();
  return toPage(
    found,
    query.limit,
    (row) => toSubmissionView(row, toEvaluationView(row, null)),
    (row) => ({ id: row.submission_id }),
  );
}

/** Cancels the evaluation of a submission; see `cancel`. */
export async function cancelSubmission(db: Db, submissionId: string, account: { id: string }): Promise<Cancelled> {
  const row = await submissionRows(db).where('s.id', '=', submissionId).executeTakeFirst();
  if (row === undefined) return { ok: false, code: 'unknown_evaluation', message: 'there is no such submission' };
  return cancel(db, row.id, account);
}
