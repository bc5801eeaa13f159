import { sql } from 'kysely';
import { z } from 'zod';
import type { StandingView } from '../contracts/api.ts';
import type { Verdict } from '../contracts/evaluation.ts';
import type { Split } from '../contracts/rubric.ts';
import type { Outcome } from '../contracts/status.ts';
import { badCursor, decodeCursor, type Listed, toPage } from './cursors.ts';
import type { Db } from './db/client.ts';
import { standingScore } from './feedback.ts';
import type { Trx } from './transaction.ts';

/**
 * Enters a finished evaluation into the standing of its phase, if it is its participant's best under the challenge's
 * current rubric version; of equal scores the earlier one stays. One upsert decides under the row's lock, so two
 * evaluations that finish together cannot lose the better one.
 */
export async function refreshStanding(trx: Trx, evaluationId: string): Promise<void> {
  const row = await trx
    .selectFrom('evaluation as e')
    .innerJoin('submission as s', 's.id', 'e.submission_id')
    .innerJoin('challenge as c', (join) => join.onRef('c.id', '=', 's.challenge_id').onRef('c.rubric_hash', '=', 'e.rubric_hash'))
    .select(['e.phase', 'e.splits', 'e.hidden_rounding', 'e.verdict', 'e.outcome', 'e.rubric_hash', 'e.done_at', 's.id as submission_id'])
    .select(['s.account_id', 's.challenge_id'])
    .where('e.id', '=', evaluationId)
    .executeTakeFirst();
  if (row === undefined || row.verdict === null || row.outcome === null || row.done_at === null) return;
  const policy = { splits: row.splits as Split[], hiddenRounding: row.hidden_rounding };
  const shown = standingScore(policy, row.verdict as unknown as Verdict);
  if (shown === null) return;
  await sql`
    insert into standing as best (challenge_id, phase, account_id, evaluation_id, submission_id, rubric_hash, score, lower, upper, outcome, at)
    values (${row.challenge_id}, ${row.phase}, ${row.account_id}, ${evaluationId}, ${row.submission_id}, ${row.rubric_hash},
      ${shown.score}, ${shown.interval?.[0] ?? null}, ${shown.interval?.[1] ?? null}, ${row.outcome}, ${row.done_at})
    on conflict (challenge_id, phase, account_id) do update set
      evaluation_id = excluded.evaluation_id, submission_id = excluded.submission_id, rubric_hash = excluded.rubric_hash,
      score = excluded.score, lower = excluded.lower, upper = excluded.upper, outcome = excluded.outcome, at = excluded.at
    where excluded.score > best.score or excluded.rubric_hash <> best.rubric_hash`.execute(trx);
}

const Cursor = z.object({ score: z.number(), at: z.iso.datetime(), account: z.uuid() });

interface StandingRow {
  account_id: string;
  rank: string;
  best_rank: string;
  worst_rank: string;
  participant: string;
  sample: boolean;
  submission_id: string;
  submission_title: string;
  score: number;
  lower: number | null;
  upper: number | null;
  outcome: Outcome;
  at: Date;
  at_exact: string;
}

export interface StandingsQuery {
  /** The challenge's first phase when absent. */
  phase?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

/**
 * One page of a phase's standing, best first; equal scores share a rank. `rankRange`: the first and last place an entry may
 * truly have, given the intervals: only entries whose whole interval lies above (below) its own are surely
 * before (behind) it. An entry without an interval counts as exact. `null`: there is no such challenge or phase.
 */
export async function listStandings(db: Db, slug: string, query: StandingsQuery): Promise<Listed<StandingView> | null> {
  const after = decodeCursor(Cursor, query.cursor);
  if (after === undefined) return badCursor;
  const challenge = await db
    .selectFrom('challenge as c')
    .innerJoin('rubric_version as r', 'r.hash', 'c.rubric_hash')
    .select(['c.id', 'c.rubric_hash', sql<string | null>`coalesce(${query.phase ?? null}::text, r.document->'phases'->0->>'name')`.as('phase')])
    .where('c.slug', '=', slug)
    .where(sql<boolean>`${query.phase ?? null}::text is null or r.document->'phases' @> jsonb_build_array(jsonb_build_object('name', ${query.phase ?? null}::text))`)
    .executeTakeFirst();
  if (challenge === undefined) return null;
  const { rows } = await standingPage(db, { ...challenge, after, limit: query.limit });
  return toPage(rows, query.limit, toView, (row) => ({ score: row.score, at: row.at_exact, account: row.account_id }));
}

interface PageOf {
  id: string;
  rubric_hash: string;
  phase: string | null;
  after: z.infer<typeof Cursor> | null;
  limit: number;
}

/** Ranks are counted for the rows of the page only: each count is one range of the index, however long the list. */
function standingPage(db: Db, { id, rubric_hash, phase, after, limit }: PageOf) {
  const others = sql`from standing o where o.challenge_id = ${id} and o.phase = ${phase} and o.rubric_hash = ${rubric_hash}`;
  return sql<StandingRow>`
    with page as (
      select t.* from standing t
      where t.challenge_id = ${id} and t.phase = ${phase} and t.rubric_hash = ${rubric_hash}
        and (${after === null} or t.score < ${after?.score ?? 0}
          or (t.score = ${after?.score ?? 0} and (t.at, t.account_id) > (${after?.at ?? null}::timestamptz, ${after?.account ?? null}::uuid)))
      order by t.score desc, t.at, t.account_id limit ${limit + 1}
    )
    select page.account_id, page.submission_id, page.score, page.lower, page.upper, page.outcome, page.at,
      to_char(page.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at_exact,
      a.name as participant, s.sample, s.title as submission_title,
      1 + (select count(*) ${others} and o.score > page.score) as rank,
      1 + (select count(*) ${others} and coalesce(o.lower, o.score) > coalesce(page.upper, page.score)) as best_rank,
      greatest(1, (select count(*) ${others} and coalesce(o.upper, o.score) >= coalesce(page.lower, page.score))) as worst_rank
    from page join account a on a.id = page.account_id join submission s on s.id = page.submission_id
    order by page.score desc, page.at, page.account_id`.execute(db);
}

function toView(row: StandingRow): StandingView {
  return {
    rank: Number(row.rank),
    rankRange: [Number(row.best_rank), Number(row.worst_rank)],
    participant: row.participant,
    sample: row.sample,
    submissionId: row.submission_id,
    submissionTitle: row.submission_title,
    score: row.score,
    interval: row.lower === null || row.upper === null ? null : [row.lower, row.upper],
    outcome: row.outcome,
    standing: 'provisional',
    at: row.at.toISOString(),
  };
}
