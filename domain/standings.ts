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
 * current rubric version; of equal scores the earlier one stays, unless it failed and this one passed (a rounded score
 * does not tell them apart). One upsert decides under the row's lock, so two
 * evaluations that finish together cannot lose the better one; the lock on the challenge keeps its version from changing
 * in between.
 */
export async function refreshStanding(trx: Trx, evaluationId: string): Promise<void> {
  const row = await trx
    .selectFrom('evaluation as e')
    .innerJoin('submission as s', 's.id', 'e.submission_id')
    .innerJoin('challenge as c', (join) => join.onRef('c.id', '=', 's.challenge_id').onRef('c.rubric_hash', '=', 'e.rubric_hash'))
    .select(['e.phase', 'e.splits', 'e.hidden_rounding', 'e.verdict', 'e.outcome', 'e.done_at', 's.id as submission_id'])
    .select(['s.account_id', 's.challenge_id'])
    .where('e.id', '=', evaluationId)
    .forShare('c')
    .executeTakeFirst();
  if (row === undefined || row.verdict === null || row.outcome === null || row.done_at === null) return;
  const policy = { splits: row.splits as Split[], hiddenRounding: row.hidden_rounding };
  const shown = standingScore(policy, row.verdict as unknown as Verdict);
  if (shown === null) return;
  const [lower, upper] = shown.interval ?? [shown.score, shown.score];
  await sql`
    insert into standing as best (challenge_id, phase, account_id, evaluation_id, submission_id, score, lower, upper, has_interval, outcome, at)
    values (${row.challenge_id}, ${row.phase}, ${row.account_id}, ${evaluationId}, ${row.submission_id},
      ${shown.score}, ${lower}, ${upper}, ${shown.interval !== null}, ${row.outcome}, ${row.done_at})
    on conflict (challenge_id, phase, account_id) do update set
      evaluation_id = excluded.evaluation_id, submission_id = excluded.submission_id, score = excluded.score, lower = excluded.lower,
      upper = excluded.upper, has_interval = excluded.has_interval, outcome = excluded.outcome, at = excluded.at
    where excluded.score > best.score
      or (excluded.score = best.score and best.outcome = 'fail' and excluded.outcome = 'pass')`.execute(trx);
}

/**
 * Enters a participant's best anew after a verdict of theirs was superseded: it may be worse than before, or belong to
 * another version. The lock on the challenge comes first, as in `refreshStanding`.
 */
export async function renewStanding(trx: Trx, evaluationId: string): Promise<void> {
  const of = await trx
    .selectFrom('evaluation as e')
    .innerJoin('submission as s', 's.id', 'e.submission_id')
    .innerJoin('challenge as c', 'c.id', 's.challenge_id')
    .select(['e.phase', 's.account_id', 's.challenge_id', 'c.rubric_hash'])
    .where('e.id', '=', evaluationId)
    .forShare('c')
    .executeTakeFirstOrThrow();
  await trx
    .deleteFrom('standing')
    .where('challenge_id', '=', of.challenge_id)
    .where('phase', '=', of.phase)
    .where('account_id', '=', of.account_id)
    .execute();
  const judged = await trx
    .selectFrom('evaluation as e')
    .innerJoin('submission as s', 's.id', 'e.submission_id')
    .select('e.id')
    .where('s.account_id', '=', of.account_id)
    .where('e.rubric_hash', '=', of.rubric_hash)
    .where('e.phase', '=', of.phase)
    .where('e.outcome', 'in', ['pass', 'fail'])
    .orderBy('e.done_at')
    .execute();
  for (const { id } of judged) await refreshStanding(trx, id);
}

/** Makes the standings of a challenge anew after its rubric version has changed. The caller has updated the challenge's row. */
export async function rebuildStandings(trx: Trx, challengeId: string, rubricHash: string): Promise<void> {
  await trx.deleteFrom('standing').where('challenge_id', '=', challengeId).execute();
  const judged = await trx
    .selectFrom('evaluation')
    .select('id')
    .where('rubric_hash', '=', rubricHash)
    .where('outcome', 'in', ['pass', 'fail'])
    .orderBy('done_at')
    .execute();
  for (const { id } of judged) await refreshStanding(trx, id);
}

const Cursor = z.object({ score: z.number(), at: z.iso.datetime().regex(/^[1-9]/, 'PostgreSQL has no year 0'), account: z.uuid() });

interface StandingRow {
  account_id: string;
  participant: string;
  sample: boolean;
  submission_id: string;
  submission_title: string;
  score: number;
  lower: number;
  upper: number;
  has_interval: boolean;
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
  const list = await findList(db, slug, query.phase);
  if (list === null) return null;
  const rows = await pageRows(db, list, after, query.limit + 1);
  const ranks = await rankRows(db, list, rows.slice(0, query.limit));
  const view = (row: StandingRow): StandingView => toView(row, ranks(row));
  return toPage(rows, query.limit, view, (row) => ({ score: row.score, at: row.at_exact, account: row.account_id }));
}

interface List {
  challengeId: string;
  phase: string;
}

async function findList(db: Db, slug: string, wanted: string | undefined): Promise<List | null> {
  const row = await db
    .selectFrom('challenge as c')
    .innerJoin('rubric_version as r', 'r.hash', 'c.rubric_hash')
    .select(['c.id', sql<{ name: string }[]>`r.document->'phases'`.as('phases')])
    .where('c.slug', '=', slug)
    .executeTakeFirst();
  const phase = wanted === undefined ? row?.phases[0] : row?.phases.find((one) => one.name === wanted);
  return row === undefined || phase === undefined ? null : { challengeId: row.id, phase: phase.name };
}

async function pageRows(db: Db, list: List, after: z.infer<typeof Cursor> | null, limit: number): Promise<StandingRow[]> {
  const beyond =
    after === null
      ? sql`true`
      : sql`t.score <= ${after.score} and (t.score < ${after.score} or (t.at, t.account_id) > (${after.at}::timestamptz, ${after.account}::uuid))`;
  const { rows } = await sql<StandingRow>`
    with page as (
      select * from standing t where t.challenge_id = ${list.challengeId} and t.phase = ${list.phase} and ${beyond}
      order by t.score desc, t.at, t.account_id limit ${limit}
    )
    select page.*, to_char(page.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at_exact,
      a.name as participant, s.sample, s.title as submission_title
    from page join account a on a.id = page.account_id join submission s on s.id = page.submission_id
    order by page.score desc, page.at, page.account_id`.execute(db);
  return rows;
}

interface Rank {
  rank: number;
  best: number;
  worst: number;
}

/** Ranks of the rows of one page. */
async function rankRows(db: Db, list: List, rows: StandingRow[]): Promise<(row: StandingRow) => Rank> {
  const [better, surelyBetter, worse] = await Promise.all([
    countAbove(
      db,
      list,
      'score',
      rows.map((row) => row.score),
    ),
    countAbove(
      db,
      list,
      'lower',
      rows.map((row) => row.upper),
    ),
    countBelow(
      db,
      list,
      rows.map((row) => row.lower),
    ),
  ]);
  return (row) => ({ rank: 1 + better(row.score), best: 1 + surelyBetter(row.upper), worst: worse.all - worse.below(row.lower) });
}

/*
 * How many entries lie above each of a page's thresholds. Counting per row would walk the index once per row, up to
 * 100,000 entries each; this walks it once, from its top to the lowest threshold, and sorts what it meets into
 * the gaps between thresholds. `width_bucket(v, thresholds)` is the number of thresholds at or below v; on the
 * negated axis that is the number of thresholds at or above, so that entries equal to a threshold do not count.
 */
async function countAbove(db: Db, list: List, column: 'score' | 'lower', thresholds: number[]): Promise<(threshold: number) => number> {
  const falling = [...new Set(thresholds)].sort((a, b) => b - a);
  if (falling.length === 0) return () => 0;
  const { rows } = await sql<{ gap: number; n: number }>`
    select width_bucket(-${sql.ref(column)}, ${falling.map((value) => -value)}::float8[]) as gap, count(*)::int as n from standing
    where challenge_id = ${list.challengeId} and phase = ${list.phase} and ${sql.ref(column)} > ${falling.at(-1)} group by 1`.execute(db);
  return (threshold) => rows.reduce((sum, row) => (row.gap <= falling.indexOf(threshold) ? sum + row.n : sum), 0);
}

/** How many entries end below each threshold, and how many entries there are. */
async function countBelow(db: Db, list: List, thresholds: number[]): Promise<{ all: number; below: (threshold: number) => number }> {
  const rising = [...new Set(thresholds)].sort((a, b) => a - b);
  if (rising.length === 0) return { all: 0, below: () => 0 };
  const { rows } = await sql<{ gap: number; n: number }>`
    select width_bucket(upper, ${rising}::float8[]) as gap, count(*)::int as n from standing
    where challenge_id = ${list.challengeId} and phase = ${list.phase} group by 1`.execute(db);
  return {
    all: rows.reduce((sum, row) => sum + row.n, 0),
    below: (threshold) => rows.reduce((sum, row) => (row.gap <= rising.indexOf(threshold) ? sum + row.n : sum), 0),
  };
}

function toView(row: StandingRow, { rank, best, worst }: Rank): StandingView {
  return {
    rank,
    rankRange: [best, worst],
    participant: row.participant,
    sample: row.sample,
    submissionId: row.submission_id,
    submissionTitle: row.submission_title,
    score: row.score,
    interval: row.has_interval ? [row.lower, row.upper] : null,
    outcome: row.outcome,
    standing: 'provisional',
    at: row.at.toISOString(),
  };
}
