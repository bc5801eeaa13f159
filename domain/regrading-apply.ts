import { sql } from 'kysely';
import type { Grade, Verdict } from '../contracts/evaluation.ts';
import type { Rubric, Split } from '../contracts/rubric.ts';
import type { Reason } from '../contracts/status.ts';
import type { Usage } from '../contracts/target.ts';
import { makeCurrent } from './challenges.ts';
import type { Db } from './db/client.ts';
import { appendEvents } from './events/append.ts';
import { shownVerdict } from './feedback.ts';
import type { RegradableOutcome, VerdictState } from './regrading-state.ts';
import { itemHash, regradingHash, type StoredCase } from './regradings.ts';
import { renewStanding } from './standings.ts';
import { inTransaction, type Trx } from './transaction.ts';

/*
 * Theory of operation. Each evaluation is one transaction: its row is locked, its verdict compared with the previewed one,
 * and the new verdict, the event and the standing written together. That a verdict row names this regrading is what makes
 * an item applied, so a call that was killed is simply made again, and two at once do each item once. An evaluation whose
 * verdict is another one by now is left alone: its preview compares with something that no longer counts. So is one whose
 * previewed pass a judge decided and people have to confirm by now: the preview saw another standing of that judge.
 */

export interface Applied {
  /** Written by this call. */
  applied: number;
  /** Written by an earlier one. */
  before: number;
  /** Left alone: they have another verdict than the previewed one, or its pass needs a person by now. */
  stale: string[];
  /** Could not be graded again. */
  refused: number;
}

export type Apply = { ok: true; result: Applied } | { ok: false; code: 'unknown_regrading' | 'not_complete' | 'forged'; message: string };

export interface ApplyOptions {
  accountId: string;
  /**
   * May a previewed pass be given without a person, by what people said of the judge until now? Asked within the transaction
   * that would write it, while no audit of that version can be added. The award rule is the rubrics' business, not ours.
   */
  passStands: (trx: Trx, version: { hash: string; rubric: Rubric }) => Promise<boolean>;
  /** Also makes the newer version the one that new submissions are judged by. */
  makeCurrent?: boolean;
  /** Told after each evaluation that was written. */
  onApplied?: (evaluationId: string) => void;
  signal?: AbortSignal;
}

/** Applies a preview as it stands. Rejects with the signal's reason between two evaluations; those written stay, and a next call goes on. */
export async function applyRegrading(db: Db, id: string, options: ApplyOptions): Promise<Apply> {
  const row = await db.selectFrom('regrading').select(['to_rubric_hash', 'content_hash']).where('id', '=', id).executeTakeFirst();
  if (row === undefined) return { ok: false, code: 'unknown_regrading', message: 'there is no such preview' };
  if (row.content_hash === null) return { ok: false, code: 'not_complete', message: 'the preview was never completed; make it again' };
  if ((await regradingHash(db, id)) !== row.content_hash) return forged;
  const result: Applied = { applied: 0, before: 0, stale: [], refused: 0 };
  const items = await db
    .selectFrom('regrading_item')
    .select(['evaluation_id', 'problem'])
    .where('regrading_id', '=', id)
    .orderBy('evaluation_id')
    .execute();
  for (const { evaluation_id, problem } of items) {
    options.signal?.throwIfAborted();
    if (problem !== null) {
      result.refused++;
      continue;
    }
    const end = await inTransaction(db, (trx) =>
      applyItem(trx, { regradingId: id, evaluationId: evaluation_id, accountId: options.accountId, passStands: options.passStands }),
    );
    if (end === 'forged') return forged;
    if (end === 'stale') result.stale.push(evaluation_id);
    else if (end === 'before') result.before++;
    else {
      result.applied++;
      options.onApplied?.(evaluation_id);
    }
  }
  if (options.makeCurrent === true) await makeCurrent(db, row.to_rubric_hash);
  await db
    .updateTable('regrading')
    .set({ applied_by: options.accountId, applied_at: sql<Date>`clock_timestamp()` })
    .where('id', '=', id)
    .where('applied_at', 'is', null)
    .execute();
  return { ok: true, result };
}

const forged: Apply = {
  ok: false,
  code: 'forged',
  message: 'what is stored of the preview is not what was previewed: somebody changed the database; make the preview again',
};

interface Of {
  regradingId: string;
  evaluationId: string;
  accountId: string;
  passStands: ApplyOptions['passStands'];
}

async function applyItem(trx: Trx, of: Of): Promise<'applied' | 'before' | 'stale' | 'forged'> {
  const now = await trx
    .selectFrom('evaluation')
    .select([
      'rubric_hash',
      'hidden_rounding',
      'outcome',
      'reason',
      'verdict',
      'result_hash',
      'simulated',
      'regraded_by',
      'done_at',
      'splits',
    ])
    .where('id', '=', of.evaluationId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  const given = await trx
    .selectFrom('evaluation_verdict')
    .select('seq')
    .where('evaluation_id', '=', of.evaluationId)
    .where('regrading_id', '=', of.regradingId)
    .executeTakeFirst();
  if (given !== undefined) return 'before';
  const item = await readItem(trx, of);
  if (item === null) return 'forged';
  const { from, verdict } = item;
  const same = now.rubric_hash === from.rubricHash && now.outcome === from.outcome && now.result_hash === from.resultHash;
  if (!same || now.regraded_by !== from.regradingId) return 'stale';
  const { to_rubric_hash, document, reason } = await trx
    .selectFrom('regrading as r')
    .innerJoin('rubric_version as v', 'v.hash', 'r.to_rubric_hash')
    .select(['r.to_rubric_hash', 'v.document', 'r.reason'])
    .where('r.id', '=', of.regradingId)
    .executeTakeFirstOrThrow();
  if (verdict.outcome === 'pass') {
    // An audit refers to its version: whoever adds one waits for this lock, and this waits for those that are being added.
    await trx.selectFrom('rubric_version').select('hash').where('hash', '=', to_rubric_hash).forUpdate().executeTakeFirstOrThrow();
    if (!(await of.passStands(trx, { hash: to_rubric_hash, rubric: document as unknown as Rubric }))) return 'stale';
  }
  const next: NextVerdict = {
    ...item,
    rubricHash: to_rubric_hash,
    hiddenRounding: (document as unknown as Rubric).feedback.hiddenRounding,
  };
  await keepVerdicts(trx, of, next);
  await supersede(trx, of, next);
  const policy = { splits: now.splits as Split[], hiddenRounding: next.hiddenRounding };
  const before = shownVerdict({ ...policy, hiddenRounding: now.hidden_rounding }, from.verdict);
  const shown = shownVerdict(policy, verdict);
  await appendEvents(trx, of.evaluationId, [
    {
      ...{ kind: 'regraded', outcome: verdict.outcome, score: shown.score, interval: shown.interval },
      ...{ from: { outcome: from.outcome, score: before.score }, reason },
    },
  ]);
  await renewStanding(trx, of.evaluationId);
  return 'applied';
}

interface PreviewedVerdict {
  from: VerdictState;
  verdict: Verdict;
  resultHash: string;
  simulated: boolean;
}
type NextVerdict = PreviewedVerdict & { rubricHash: string; hiddenRounding: number };

/** What was previewed, if its rows still hash to what the preview says; else null. */
async function readItem(trx: Trx, { regradingId, evaluationId }: Of): Promise<PreviewedVerdict | null> {
  const row = await trx
    .selectFrom('regrading_item')
    .selectAll()
    .where('regrading_id', '=', regradingId)
    .where('evaluation_id', '=', evaluationId)
    .executeTakeFirstOrThrow();
  const cases = await trx
    .selectFrom('regraded_case')
    .select(['trial', 'case_id', 'score', 'grades', 'changed', 'transcript_hash'])
    .where('regrading_id', '=', regradingId)
    .where('evaluation_id', '=', evaluationId)
    .execute();
  const from: VerdictState = {
    rubricHash: row.from_rubric_hash,
    outcome: row.from_outcome as RegradableOutcome,
    resultHash: row.from_result_hash,
    verdict: row.from_verdict as unknown as Verdict,
    regradingId: row.from_regrading_id,
  };
  const item = {
    ...{ evaluation_id: evaluationId, from, problem: row.problem as unknown as Reason | null },
    ...{ verdict: row.verdict as unknown as Verdict | null, result_hash: row.result_hash, simulated: row.simulated },
    judging: row.judging as unknown as Usage,
  };
  const stored = cases.map((one): StoredCase => ({ ...one, grades: one.grades as unknown as Grade[] }));
  if (itemHash(item, stored) !== row.content_hash) return null;
  if (item.verdict === null || item.result_hash === null || item.simulated === null) return null;
  return { from, verdict: item.verdict, resultHash: item.result_hash, simulated: item.simulated };
}

/** The first time, the verdict of the run goes into the history too. */
async function keepVerdicts(trx: Trx, { evaluationId, regradingId, accountId }: Of, next: NextVerdict): Promise<void> {
  await sql`
    insert into evaluation_verdict (evaluation_id, seq, rubric_hash, hidden_rounding, outcome, reason, verdict, result_hash, simulated, given_at)
    select id, 1, rubric_hash, hidden_rounding, outcome, reason, verdict, result_hash, simulated, done_at from evaluation
    where id = ${evaluationId} and regraded_by is null`.execute(trx);
  const reason = next.verdict.reason === null ? null : JSON.stringify(next.verdict.reason);
  await sql`
    insert into evaluation_verdict (evaluation_id, seq, rubric_hash, hidden_rounding, outcome, reason, verdict, result_hash, simulated,
      given_at, regrading_id, applied_by)
    select ${evaluationId}::uuid, max(seq) + 1, ${next.rubricHash}::text, ${next.hiddenRounding}::float8, ${next.verdict.outcome}::text, ${reason}::jsonb,
      ${JSON.stringify(next.verdict)}::jsonb, ${next.resultHash}::text, ${next.simulated}::boolean, clock_timestamp(), ${regradingId}::uuid,
      ${accountId}::uuid
    from evaluation_verdict where evaluation_id = ${evaluationId}`.execute(trx);
}

async function supersede(trx: Trx, { evaluationId, regradingId }: Of, next: NextVerdict): Promise<void> {
  const { verdict } = next;
  const [lower, upper] = verdict.interval ?? [null, null];
  await trx
    .updateTable('evaluation')
    .set({
      regraded_by: regradingId,
      rubric_hash: next.rubricHash,
      hidden_rounding: next.hiddenRounding,
      outcome: verdict.outcome,
      reason: verdict.reason === null ? null : JSON.stringify(verdict.reason),
      verdict: JSON.stringify(verdict),
      ...{ score: verdict.score, score_lower: lower, score_upper: upper },
      result_hash: next.resultHash,
      simulated: next.simulated,
    })
    .where('id', '=', evaluationId)
    .execute();
}
