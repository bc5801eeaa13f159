import { hash } from 'node:crypto';
import { sql } from 'kysely';
import { canonicalJson } from '../contracts/canonical.ts';
import type { Exchange } from '../contracts/chat.ts';
import type { SandboxRecord } from '../contracts/doctor.ts';
import type { CaseResult } from '../contracts/evaluation.ts';
import type { EvaluationEvent } from '../contracts/events.ts';
import type { Split } from '../contracts/rubric.ts';
import type { Db } from './db/client.ts';
import { storableJson } from './db/storable-text.ts';
import { appendEvents } from './events/append.ts';
import { hold, type Lease } from './leases.ts';
import { inTransaction, type Trx } from './transaction.ts';
import { publicUsage } from './usage.ts';

/*
 * What a running evaluation leaves behind, batch by batch: each batch is one transaction that begins with `hold`, and
 * three statements however many cases it has. A result is a checkpoint: the next attempt does not run its case
 * again. A case on which the platform failed is kept too, but not settled: it is run again and overwritten.
 *
 * From hidden and holdout cases nothing may be seen from outside while they run, so they write no events, and the
 * progress grows by their number once, when their split ends.
 */

/** A case the platform failed on says nothing about the submission. */
const isSettled = (result: CaseResult): boolean => result.end !== 'error' && result.grades.every((grade) => grade.status !== 'error');

interface Written {
  trial: number;
  case_id: string;
}

/**
 * Stores results with their grades, and one `case` event per public one. Results that are stored already stay as they
 * are, so a batch may be sent twice. `false`: the lease is lost and nothing was written.
 */
export function recordCases(db: Db, lease: Lease, results: readonly CaseResult[]): Promise<boolean> {
  if (results.length === 0) return Promise.resolve(true);
  const byKey = new Map(results.map((result) => [keyOf(result.trial, result.caseId), result]));
  return inTransaction(db, async (trx) => {
    if ((await hold(trx, lease)) === null) return false;
    const written = await insertCases(trx, lease, [...byKey.values()]);
    const fresh = new Set(written.map((row) => keyOf(row.trial, row.case_id)));
    const shown = [...byKey]
      .filter(([key, result]) => fresh.has(key) && result.split === 'public' && isSettled(result))
      .map(([, result]) => result);
    const { done, of } = await tick(trx, lease.evaluationId, shown.length, written.length > 0);
    if (shown.length > 0) await appendEvents(trx, lease.evaluationId, caseEvents(shown, done - shown.length, of));
    return true;
  });
}

const keyOf = (trial: number, caseId: string): string => `${trial}/${caseId}`;

async function insertCases(trx: Trx, lease: Lease, results: CaseResult[]): Promise<Written[]> {
  const cases = JSON.stringify(results.map(caseRow));
  const grades = JSON.stringify(results.flatMap(gradeRows));
  const { rows } = await sql<Written>`
    with written as (
      insert into case_result as c (evaluation_id, trial, case_id, split, "end", limit_kind, message, score, transcript_hash, log_hash,
        answer_hash, artifacts, calls, input_tokens, output_tokens, cost_micros, judge_calls, judge_input_tokens, judge_output_tokens, judge_cost_micros,
        wall_ms, settled, fencing)
      select ${lease.evaluationId}, g.trial, g.case_id, g.split, g."end", g.limit_kind, g.message, g.score, g.transcript_hash, g.log_hash,
        g.answer_hash, g.artifacts, g.calls, g.input_tokens, g.output_tokens, g.cost_micros, g.judge_calls, g.judge_input_tokens, g.judge_output_tokens,
        g.judge_cost_micros, g.wall_ms, g.settled, ${lease.fencing}
      from jsonb_to_recordset(${cases}::jsonb) as g(trial int, case_id text, split text, "end" text, limit_kind text, message text,
        score float8, transcript_hash text, log_hash text, answer_hash text, artifacts jsonb, calls int, input_tokens bigint, output_tokens bigint, cost_micros bigint,
        judge_calls int, judge_input_tokens bigint, judge_output_tokens bigint, judge_cost_micros bigint, wall_ms float8, settled boolean)
      on conflict (evaluation_id, trial, case_id) do update set
        split = excluded.split, "end" = excluded."end", limit_kind = excluded.limit_kind, message = excluded.message, score = excluded.score,
        transcript_hash = excluded.transcript_hash, log_hash = excluded.log_hash, answer_hash = excluded.answer_hash, artifacts = excluded.artifacts, calls = excluded.calls, input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens, cost_micros = excluded.cost_micros, judge_calls = excluded.judge_calls,
        judge_input_tokens = excluded.judge_input_tokens, judge_output_tokens = excluded.judge_output_tokens,
        judge_cost_micros = excluded.judge_cost_micros, wall_ms = excluded.wall_ms, settled = excluded.settled,
        fencing = excluded.fencing, recorded_at = now()
        where not c.settled
      returning c.trial, c.case_id
    ), graded as (
      insert into grade (evaluation_id, trial, case_id, criterion, position, grader, status, score, evidence, fencing)
      select ${lease.evaluationId}, g.trial, g.case_id, g.criterion, g.position, g.grader, g.status, g.score, g.evidence, ${lease.fencing}
      from jsonb_to_recordset(${grades}::jsonb) as g(trial int, case_id text, criterion text, position int, grader text, status text,
        score float8, evidence jsonb)
      join written w on w.trial = g.trial and w.case_id = g.case_id
      on conflict (evaluation_id, trial, case_id, criterion) do update set
        position = excluded.position, grader = excluded.grader, status = excluded.status, score = excluded.score,
        evidence = excluded.evidence, fencing = excluded.fencing
    )
    select trial, case_id from written`.execute(trx);
  return rows;
}

function caseRow(result: CaseResult): object {
  return {
    trial: result.trial,
    case_id: result.caseId,
    split: result.split,
    end: result.end,
    limit_kind: result.limit,
    message: storableJson(result.message),
    score: result.score,
    transcript_hash: result.transcriptHash,
    log_hash: result.logHash,
    answer_hash: result.answerHash ?? null,
    artifacts: storableJson(result.artifacts),
    calls: result.usage.calls,
    input_tokens: result.usage.inputTokens,
    output_tokens: result.usage.outputTokens,
    cost_micros: result.usage.costMicros,
    judge_calls: result.judging?.calls ?? 0,
    judge_input_tokens: result.judging?.inputTokens ?? 0,
    judge_output_tokens: result.judging?.outputTokens ?? 0,
    judge_cost_micros: result.judging?.costMicros ?? '0',
    wall_ms: result.wallMs,
    settled: isSettled(result),
  };
}

function gradeRows(result: CaseResult): object[] {
  return result.grades.map((grade, position) => ({
    trial: result.trial,
    case_id: result.caseId,
    criterion: grade.criterion,
    position,
    grader: grade.grader,
    status: grade.status,
    score: grade.score,
    evidence: storableJson(grade.evidence),
  }));
}

/**
 * A case recorded is also a sign of life: leases lost before it do not count any more. And a result that is shown is
 * what an attempt buys, as a model call is: who has seen one cannot cancel for free and ask again.
 */
async function tick(trx: Trx, id: string, publicCases: number, alive: boolean): Promise<{ done: number; of: number }> {
  return trx
    .updateTable('evaluation')
    .set((eb) => ({
      progress_done: eb('progress_done', '+', publicCases),
      ...(alive ? { lost_leases: 0 } : {}),
      ...(publicCases > 0 ? { first_call_at: sql<Date>`coalesce(first_call_at, clock_timestamp())` } : {}),
    }))
    .where('id', '=', id)
    .returning(['progress_done as done', 'progress_of as of'])
    .executeTakeFirstOrThrow();
}

function caseEvents(results: CaseResult[], doneBefore: number, of: number): EvaluationEvent[] {
  return results.map((result, i) => ({
    kind: 'case',
    caseId: result.caseId,
    split: 'public',
    trial: result.trial,
    end: result.end,
    score: result.score,
    done: doneBefore + i + 1,
    of,
  }));
}

/**
 * Notes that a split began or ended. The end of a hidden one adds its cases to the progress, once; the end of the public
 * one tells what it used. A resumed evaluation passes ends a second time: they write nothing then.
 */
export function recordSplit(db: Db, lease: Lease, split: Split, state: 'started' | 'finished', cases: number): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const held = await hold(trx, lease);
    if (held === null) return false;
    if (held.finishedSplits.includes(split)) return true;
    const events: EvaluationEvent[] = [{ kind: 'split', split, state, cases }];
    if (state === 'finished') {
      await trx
        .updateTable('evaluation')
        .set((eb) => ({
          finished_splits: sql<string[]>`finished_splits || ${split}::text`,
          progress_done: eb('progress_done', '+', split === 'public' ? 0 : cases),
        }))
        .where('id', '=', lease.evaluationId)
        .execute();
      if (split === 'public') events.push({ kind: 'usage', usage: await publicUsage(trx, lease.evaluationId) });
    }
    await appendEvents(trx, lease.evaluationId, events);
    return true;
  });
}

/**
 * Notes where the code of a split runs, before any of it does. A split that another attempt opened in the same way is
 * noted once. `false`: the lease is lost and nothing was written.
 */
export function recordSandbox(db: Db, lease: Lease, record: SandboxRecord): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    if ((await hold(trx, lease)) === null) return false;
    const entry = JSON.stringify(storableJson(record));
    // Compared as a whole: containment would take a record without risks for the same as one with them.
    await sql`
      update evaluation set sandbox = sandbox || jsonb_build_array(${entry}::jsonb)
      where id = ${lease.evaluationId} and not exists (select from jsonb_array_elements(sandbox) as known where known = ${entry}::jsonb)`.execute(
      trx,
    );
    return true;
  });
}

/** Which case a call belongs to, and the call. */
export interface RecordedCall {
  ref: { caseId: string; split: Split; trial: number };
  exchange: Exchange;
}

/** Stores what was asked of which model, without its text. A call sent twice is stored once. `false`: the lease is lost. */
export function recordCalls(db: Db, lease: Lease, calls: readonly RecordedCall[]): Promise<boolean> {
  if (calls.length === 0) return Promise.resolve(true);
  return inTransaction(db, async (trx) => {
    if ((await hold(trx, lease)) === null) return false;
    const rows = JSON.stringify(calls.map(callRow));
    await sql`
      insert into model_call (evaluation_id, fencing, id, trial, case_id, split, target, asked_by, simulated, requested_model, returned_model,
        fingerprint, input_tokens, output_tokens, tokens_estimated, stop_reason, fault_kind, cost_micros, started_at, duration_ms, request_hash, cached)
      select ${lease.evaluationId}, ${lease.fencing}, g.* from jsonb_to_recordset(${rows}::jsonb) as g(id text, trial int, case_id text, split text,
        target text, asked_by text, simulated boolean, requested_model text, returned_model text, fingerprint text, input_tokens bigint,
        output_tokens bigint, tokens_estimated boolean, stop_reason text, fault_kind text, cost_micros bigint, started_at timestamptz,
        duration_ms float8, request_hash text, cached boolean)
      on conflict (evaluation_id, fencing, id) do nothing`.execute(trx);
    return true;
  });
}

function callRow({ ref, exchange }: RecordedCall): object {
  const { reply, fault } = exchange;
  return storableJson({
    id: `${ref.trial}/${ref.caseId}/${exchange.askedBy}/${exchange.index}`,
    trial: ref.trial,
    case_id: ref.caseId,
    split: ref.split,
    target: exchange.target,
    asked_by: exchange.askedBy,
    simulated: exchange.simulated,
    requested_model: reply?.requestedModel ?? null,
    returned_model: reply?.returnedModel ?? null,
    fingerprint: reply?.fingerprint ?? null,
    input_tokens: reply?.tokens.inputTokens ?? null,
    output_tokens: reply?.tokens.outputTokens ?? null,
    tokens_estimated: reply?.tokens.estimated ?? null,
    stop_reason: reply?.stopReason ?? null,
    fault_kind: fault?.kind ?? null,
    cost_micros: exchange.charged.costMicros,
    started_at: exchange.startedAt,
    duration_ms: exchange.durationMs,
    request_hash: hash('sha256', canonicalJson(exchange.request), 'hex'),
    cached: exchange.cached ?? false,
  });
}
