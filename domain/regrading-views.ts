import { sql } from 'kysely';
import { z } from 'zod';
import type { Grade, Verdict } from '../contracts/evaluation.ts';
import type { ChangedCase, RegradingItem, RegradingState, RegradingView, VerdictSide } from '../contracts/regrading.ts';
import type { Split } from '../contracts/rubric.ts';
import type { Reason } from '../contracts/status.ts';
import { sumOfUsage, type Usage } from '../contracts/target.ts';
import { badCursor, decodeCursor, type Listed, toPage } from './cursors.ts';
import type { Db } from './db/client.ts';

/*
 * Previews for operators: exact scores and the names of hidden cases. No route for participants reads from here; what they
 * see of a regrading is `regraded` of the evaluation's own view. A preview that was never completed is never shown.
 */

/** Cases of one evaluation that are named. */
const namedCases = 20;

/** One preview; null when there is none or it is not complete. */
export async function showRegrading(db: Db, id: string): Promise<RegradingView | null> {
  const [row] = await regradingRows(db, sql`r.id = ${id}`, 1);
  return row === undefined ? null : toView(row);
}

const Cursor = z.object({ id: z.uuid() });

/** One page of a challenge's previews, newest first. `null`: there is no such challenge. */
export async function listRegradings(
  db: Db,
  slug: string,
  query: { cursor?: string | undefined; limit: number },
): Promise<Listed<RegradingView> | null> {
  const after = decodeCursor(Cursor, query.cursor);
  if (after === undefined) return badCursor;
  const challenge = await db.selectFrom('challenge').select('id').where('slug', '=', slug).executeTakeFirst();
  if (challenge === undefined) return null;
  const beyond = after === null ? sql`true` : sql`r.id < ${after.id}`;
  const rows = await regradingRows(db, sql`r.challenge_id = ${challenge.id} and ${beyond}`, query.limit + 1);
  return toPage(rows, query.limit, toView, (row) => ({ id: row.id }));
}

interface RegradingRow {
  id: string;
  slug: string;
  to_rubric_hash: string;
  current: boolean;
  reason: string;
  content_hash: string;
  created_by: string;
  created_at: Date;
  applied_at: Date | null;
  evaluations: number;
  refused: number;
  changed: number;
  pass_to_fail: number;
  fail_to_pass: number;
  changed_cases: number;
  applied: number;
  stale: number;
  judging: Usage[] | null;
}

/** Has this item's evaluation another verdict by now than the one it was previewed from? */
const isStale = sql`(v.regrading_id is null and i.problem is null and (e.rubric_hash, e.outcome, e.result_hash, e.regraded_by)
  is distinct from (i.from_rubric_hash, i.from_outcome, i.from_result_hash, i.from_regrading_id))`;

async function regradingRows(db: Db, where: ReturnType<typeof sql>, limit: number): Promise<RegradingRow[]> {
  const { rows } = await sql<RegradingRow>`
    select r.id, c.slug, r.to_rubric_hash, c.rubric_hash = r.to_rubric_hash as current, r.reason, r.content_hash, a.name as created_by,
      r.created_at, r.applied_at, t.*
    from regrading r join challenge c on c.id = r.challenge_id join account a on a.id = r.created_by
    cross join lateral (
      select count(*)::int as evaluations, (count(*) filter (where i.problem is not null))::int as refused,
        (count(*) filter (where i.verdict is not null and (i.verdict->'outcome', i.verdict->'score') is distinct from
          (i.from_verdict->'outcome', i.from_verdict->'score')))::int as changed,
        (count(*) filter (where i.from_outcome = 'pass' and i.verdict->>'outcome' = 'fail'))::int as pass_to_fail,
        (count(*) filter (where i.from_outcome = 'fail' and i.verdict->>'outcome' = 'pass'))::int as fail_to_pass,
        coalesce(sum(i.changed_cases), 0)::int as changed_cases, count(v.regrading_id)::int as applied,
        (count(*) filter (where ${isStale}))::int as stale, jsonb_agg(i.judging) as judging
      from regrading_item i join evaluation e on e.id = i.evaluation_id
      left join evaluation_verdict v on v.evaluation_id = i.evaluation_id and v.regrading_id = i.regrading_id
      where i.regrading_id = r.id
    ) t
    where r.content_hash is not null and ${where} order by r.id desc limit ${limit}`.execute(db);
  return rows;
}

const toView = (row: RegradingRow): RegradingView => ({
  id: row.id,
  challenge: row.slug,
  toRubricHash: row.to_rubric_hash,
  current: row.current,
  reason: row.reason,
  status: row.applied_at === null ? 'previewed' : 'applied',
  contentHash: row.content_hash,
  createdBy: row.created_by,
  createdAt: row.created_at.toISOString(),
  appliedAt: row.applied_at?.toISOString() ?? null,
  totals: {
    evaluations: row.evaluations,
    refused: row.refused,
    changed: row.changed,
    passToFail: row.pass_to_fail,
    failToPass: row.fail_to_pass,
    changedCases: row.changed_cases,
    applied: row.applied,
    stale: row.stale,
  },
  judging: sumOfUsage(row.judging ?? []),
});

interface ItemRow {
  evaluation_id: string;
  submission_id: string;
  title: string;
  participant: string;
  phase: string;
  state: RegradingState;
  from_rubric_hash: string;
  from_verdict: Verdict;
  from_result_hash: string;
  to_rubric_hash: string;
  verdict: Verdict | null;
  result_hash: string | null;
  problem: Reason | null;
  cases: number;
  changed_cases: number;
  changed: ChangedRow[] | null;
  judging: Usage;
}

interface ChangedRow {
  case_id: string;
  split: Split;
  trial: number;
  from_score: number | null;
  to_score: number | null;
  from_grades: Grade[] | null;
  to_grades: Grade[];
}

const ItemCursor = z.object({ evaluation: z.uuid() });

/** One page of a preview's evaluations, those with changed cases named. `null`: there is no such preview. */
export async function listRegradingItems(
  db: Db,
  id: string,
  query: { cursor?: string | undefined; limit: number },
): Promise<Listed<RegradingItem> | null> {
  const after = decodeCursor(ItemCursor, query.cursor);
  if (after === undefined) return badCursor;
  if ((await showRegrading(db, id)) === null) return null;
  const beyond = after === null ? sql`true` : sql`i.evaluation_id > ${after.evaluation}::uuid`;
  const { rows } = await sql<ItemRow>`
    select i.evaluation_id, s.id as submission_id, s.title, a.name as participant, e.phase, i.from_rubric_hash, i.from_verdict, i.from_result_hash,
      r.to_rubric_hash, i.verdict, i.result_hash, i.problem, i.cases, i.changed_cases, i.judging, d.changed,
      case when i.problem is not null then 'refused' when v.regrading_id is not null then 'applied' when ${isStale} then 'stale'
        else 'previewed' end as state
    from regrading_item i join regrading r on r.id = i.regrading_id join evaluation e on e.id = i.evaluation_id
    join submission s on s.id = e.submission_id join account a on a.id = s.account_id
    left join evaluation_verdict v on v.evaluation_id = i.evaluation_id and v.regrading_id = i.regrading_id
    left join lateral (${changedCases}) d on true
    where i.regrading_id = ${id} and ${beyond} order by i.evaluation_id limit ${query.limit + 1}`.execute(db);
  return toPage(rows, query.limit, toItem, (row) => ({ evaluation: row.evaluation_id }));
}

/** The first changed cases of item `i`, with the grades that it was previewed from. */
const changedCases = sql`
  select jsonb_agg(one) as changed from (
    select c.case_id, c.split, g.trial, g.score as to_score, g.grades as to_grades, coalesce(p.score, c.score) as from_score,
      coalesce(p.grades, (
        select jsonb_agg(jsonb_build_object('criterion', criterion, 'status', status, 'score', score) order by position) from grade
        where evaluation_id = g.evaluation_id and trial = g.trial and case_id = g.case_id)) as from_grades
    from regraded_case g
    join case_result c on c.evaluation_id = g.evaluation_id and c.trial = g.trial and c.case_id = g.case_id
    left join regraded_case p on p.regrading_id = i.from_regrading_id and p.evaluation_id = g.evaluation_id and p.trial = g.trial
      and p.case_id = g.case_id
    where g.regrading_id = i.regrading_id and g.evaluation_id = i.evaluation_id and g.changed
    order by g.trial, g.case_id limit ${namedCases}
  ) one`;

const toItem = (row: ItemRow): RegradingItem => ({
  evaluationId: row.evaluation_id,
  submissionId: row.submission_id,
  title: row.title,
  participant: row.participant,
  phase: row.phase,
  state: row.state,
  from: sideOf(row.from_rubric_hash, row.from_verdict, row.from_result_hash),
  to: row.verdict === null || row.result_hash === null ? null : sideOf(row.to_rubric_hash, row.verdict, row.result_hash),
  problem: row.problem,
  criteria: row.verdict === null ? [] : meansOf(row.from_verdict, row.verdict),
  cases: row.cases,
  changedCases: row.changed_cases,
  changed: (row.changed ?? []).map(toChanged),
  judging: row.judging,
});

const sideOf = (rubricHash: string, { outcome, score, interval, metrics }: Verdict, resultHash: string): VerdictSide => ({
  ...{ rubricHash, outcome, score, interval, metrics, resultHash },
});

function meansOf(before: Verdict, after: Verdict): RegradingItem['criteria'] {
  const names = [...new Set([...before.criteria, ...after.criteria].map((one) => one.name))];
  const meanOf = (verdict: Verdict, name: string) => verdict.criteria.find((one) => one.name === name)?.mean ?? null;
  return names.map((name) => ({ name, from: meanOf(before, name), to: meanOf(after, name) }));
}

function toChanged(row: ChangedRow): ChangedCase {
  const [before, after] = [row.from_grades ?? [], row.to_grades];
  const sideIn = (grades: readonly Grade[], criterion: string) => {
    const grade = grades.find((one) => one.criterion === criterion);
    return grade === undefined ? null : { status: grade.status, score: grade.score };
  };
  const names = [...new Set([...before, ...after].map((grade) => grade.criterion))];
  return {
    ...{ caseId: row.case_id, split: row.split, trial: row.trial, from: row.from_score, to: row.to_score },
    criteria: names.map((criterion) => ({ criterion, from: sideIn(before, criterion), to: sideIn(after, criterion) })),
  };
}
