import { sql } from 'kysely';
import { z } from 'zod';
import type { CaseDetail, CaseView } from '../contracts/api.ts';
import { Exchange } from '../contracts/chat.ts';
import type { ArtifactRecord, Grade } from '../contracts/evaluation.ts';
import type { Json } from '../contracts/json.ts';
import { Case } from '../contracts/rubric.ts';
import type { Outcome, Status } from '../contracts/status.ts';
import type { Blobs } from './blobs/blobs.ts';
import { type CaseRow, toCaseResult } from './case-rows.ts';
import { badCursor, decodeCursor, type Listed, toPage } from './cursors.ts';
import type { Db } from './db/client.ts';
import { showsCases } from './feedback.ts';

/** Cases as a participant may see them: public ones, of an evaluation that costs something or still runs. */

interface ShownRow extends CaseRow {
  key: string | null;
  input: Json | null;
  new_score: number | null;
  new_grades: Grade[] | null;
}

/** Bounded to what the columns hold: PostgreSQL would fail on a larger integer or a NUL, and that is no fault of ours. */
const Cursor = z.object({ trial: z.number().int().min(0).max(2_147_483_647), id: Case.shape.id });

/**
 * One page of the public cases so far, by trial and id, with the grades that count, or those of an earlier `verdict` by its
 * number. `null`: there is no such evaluation.
 */
export async function listCases(
  db: Db,
  evaluationId: string,
  query: { cursor?: string | undefined; limit: number; verdict?: number | undefined },
): Promise<Listed<CaseView> | null> {
  const after = decodeCursor(Cursor, query.cursor);
  if (after === undefined) return badCursor;
  const shows = await mayShow(db, evaluationId);
  if (shows === null) return null;
  if (!shows || !(await hasVerdict(db, evaluationId, query.verdict))) return { ok: true, items: [], nextCursor: null };
  const beyond = after === null ? sql`true` : sql`(c.trial, c.case_id) > (${after.trial}::int, ${after.id}::text)`;
  const rows = await publicRows(db, evaluationId, beyond, query.limit + 1, query.verdict);
  return toPage(rows, query.limit, toCaseView, (row) => ({ trial: row.trial, id: row.case_id }));
}

/** One public case with its input, transcript and log; null when there is none that may be shown. */
export async function showCase(db: Db, blobs: Blobs, evaluationId: string, caseId: string, trial: number): Promise<CaseDetail | null> {
  if ((await mayShow(db, evaluationId)) !== true) return null;
  const [row] = await publicRows(db, evaluationId, sql`c.case_id = ${caseId} and c.trial = ${trial}`, 1);
  if (row === undefined) return null;
  const transcript = row.transcript_hash === null ? [] : await readTranscript(blobs, row.transcript_hash);
  const log = row.log_hash === null ? null : new TextDecoder().decode(await readBlob(blobs, row.log_hash));
  return { case: { ...toCaseView(row), hasTranscript: transcript.length > 0 }, input: row.input, transcript, log };
}

/** One file that a public case left behind, by its place in the list; null when there is none that may be shown. */
export async function readArtifact(
  db: Db,
  blobs: Blobs,
  evaluationId: string,
  at: { caseId: string; trial: number; index: number },
): Promise<{ record: ArtifactRecord; bytes: Uint8Array } | null> {
  if ((await mayShow(db, evaluationId)) !== true) return null;
  const [row] = await publicRows(db, evaluationId, sql`c.case_id = ${at.caseId} and c.trial = ${at.trial}`, 1);
  const record = row === undefined ? undefined : toCaseResult(row).artifacts[at.index];
  return record === undefined ? null : { record, bytes: await readBlob(blobs, record.sha256) };
}

async function mayShow(db: Db, evaluationId: string): Promise<boolean | null> {
  const row = await db
    .selectFrom('evaluation')
    .select(['status', 'outcome', 'attempt_cost'])
    .where('id', '=', evaluationId)
    .executeTakeFirst();
  if (row === undefined) return null;
  return showsCases('public', { status: row.status as Status, outcome: row.outcome as Outcome | null, attemptCost: row.attempt_cost });
}

/** The first verdict is the run's own; further ones are in the history. */
async function hasVerdict(db: Db, evaluationId: string, verdict: number | undefined): Promise<boolean> {
  if (verdict === undefined || verdict === 1) return true;
  const row = await db
    .selectFrom('evaluation_verdict')
    .select('seq')
    .where('evaluation_id', '=', evaluationId)
    .where('seq', '=', verdict)
    .executeTakeFirst();
  return row !== undefined;
}

/** Of cases that were graded again, the grades of the regrading that counts, or of that behind the verdict of this number. */
async function publicRows(
  db: Db,
  evaluationId: string,
  where: ReturnType<typeof sql>,
  limit: number,
  verdict?: number | undefined,
): Promise<ShownRow[]> {
  const regrading =
    verdict === undefined
      ? sql`(select regraded_by from evaluation where id = ${evaluationId})`
      : sql`(select regrading_id from evaluation_verdict where evaluation_id = ${evaluationId} and seq = ${verdict})`;
  const { rows } = await sql<ShownRow>`
    with page as (
      select c.* from case_result c
      where c.evaluation_id = ${evaluationId} and c.split = 'public' and c.settled and ${where}
      order by c.trial, c.case_id limit ${limit}
    ), described as (
      select one->>'id' as id, one->>'key' as key, one->'input' as input
      from evaluation e join rubric_version r on r.hash = e.rubric_hash, jsonb_array_elements(r.public_cases) as one
      where e.id = ${evaluationId} and one->>'id' in (select case_id from page)
    )
    select page.*, described.key, described.input, again.score as new_score, again.grades as new_grades, g.grades from page
    left join described on described.id = page.case_id
    left join lateral (
      select jsonb_agg(jsonb_build_object('criterion', criterion, 'grader', grader, 'status', status, 'score', score, 'evidence', evidence)
        order by position) as grades
      from grade where evaluation_id = page.evaluation_id and trial = page.trial and case_id = page.case_id
    ) g on true
    left join regraded_case again on again.regrading_id = ${regrading} and again.evaluation_id = page.evaluation_id
      and again.trial = page.trial and again.case_id = page.case_id
    order by page.trial, page.case_id`.execute(db);
  return rows.map((row) => (row.new_grades === null ? row : { ...row, score: row.new_score, grades: row.new_grades }));
}

function toCaseView(row: ShownRow): CaseView {
  const { caseId, trial, end, limit, message, score, grades, usage, wallMs, transcriptHash, logHash, artifacts } = toCaseResult(row);
  const key = row.key ?? caseId;
  return {
    caseId,
    key,
    split: 'public',
    trial,
    end,
    limit,
    message,
    score,
    grades,
    usage,
    wallMs,
    hasTranscript: transcriptHash !== null,
    hasLog: logHash !== null,
    artifacts,
  };
}

async function readTranscript(blobs: Blobs, hash: string): Promise<Exchange[]> {
  const text = new TextDecoder().decode(await readBlob(blobs, hash));
  return withoutJudges(z.array(Exchange).parse(JSON.parse(text)));
}

/**
 * What was asked of a judge is never shown to a participant: whoever sees how a graded text is put to the judge can search
 * for texts that fool it. What a judge made of the case stands in the grade's evidence.
 */
const withoutJudges = (exchanges: Exchange[]): Exchange[] => exchanges.filter((exchange) => exchange.askedBy !== 'judge');

async function readBlob(blobs: Blobs, hash: string): Promise<Uint8Array> {
  const bytes = await blobs.get(hash);
  if (bytes === null) throw new Error(`the blob ${hash} is missing`);
  return bytes;
}
