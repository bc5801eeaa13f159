import { sql } from 'kysely';
import type { Verdict } from '../contracts/evaluation.ts';
import type { EvaluationEvent } from '../contracts/events.ts';
import type { Outcome, Reason } from '../contracts/status.ts';
import type { Usage } from '../contracts/target.ts';
import type { Db } from './db/client.ts';
import { storableJson } from './db/storable-text.ts';
import { appendEvents } from './events/append.ts';
import { shownVerdict } from './feedback.ts';
import { type Held, hold, type Lease } from './leases.ts';
import { shownReason } from './reasons.ts';
import { refreshStanding } from './standings.ts';
import { inTransaction, type Trx } from './transaction.ts';
import { publicUsage } from './usage.ts';

export interface Finished {
  verdict: Verdict;
  /** Hash of the deterministic core; required for `pass` and `fail`. */
  resultHash: string | null;
  usage: Usage;
  /** True when any target or judge is simulated. */
  simulated: boolean;
}

/**
 * Ends an evaluation with its verdict: outcome, revealed seed, `verdict` and `status` event and the standing, in one
 * transaction. `false`: the lease is lost and nothing was written. Throws outside the verify stage, and when `pass` or
 * `fail` has no score or hash.
 */
export function finish(db: Db, lease: Lease, { verdict, resultHash, usage, simulated }: Finished): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const held = await hold(trx, lease);
    if (held === null) return false;
    if (held.status !== 'verifying') throw new Error(`only verification gives a verdict, and this evaluation is ${held.status}`);
    const scored = verdict.outcome !== 'error' && verdict.outcome !== 'cancelled';
    const [lower, upper] = (scored && verdict.interval) || [null, null];
    await conclude(trx, lease.evaluationId, verdict.outcome, verdict.reason, {
      verdict: JSON.stringify(storableJson(verdict)),
      score: scored ? verdict.score : null,
      score_lower: lower,
      score_upper: upper,
      result_hash: scored ? resultHash : null,
      usage: JSON.stringify(usage),
      public_usage: JSON.stringify(await publicUsage(trx, lease.evaluationId)),
      simulated,
    });
    const shown = shownVerdict(held, verdict);
    await appendEvents(trx, lease.evaluationId, [
      { kind: 'verdict', outcome: verdict.outcome, score: shown.score, interval: shown.interval },
      doneEvent(verdict.outcome, verdict.reason, held),
    ]);
    await refreshStanding(trx, lease.evaluationId);
    return true;
  });
}

/** Ends an evaluation that has no result: `invalid` at screening, for instance. `false`: the lease is lost. */
export function finishWithout(db: Db, lease: Lease, outcome: Exclude<Outcome, 'pass' | 'fail'>, reason: Reason): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const held = await hold(trx, lease);
    if (held === null) return false;
    await conclude(trx, lease.evaluationId, outcome, reason, {});
    await appendEvents(trx, lease.evaluationId, [doneEvent(outcome, reason, held)]);
    return true;
  });
}

/** The `status` event comes last: whoever follows an evaluation may stop listening at it. */
export function doneEvent(outcome: Outcome, reason: Reason | null, about: Pick<Held, 'splits' | 'casesRan'>): EvaluationEvent {
  return { kind: 'status', status: 'done', outcome, reason: reason === null ? null : shownReason(reason, about.splits, about.casesRan) };
}

interface ResultColumns {
  verdict?: string;
  score?: number | null;
  score_lower?: number | null;
  score_upper?: number | null;
  result_hash?: string | null;
  usage?: string;
  public_usage?: string;
  simulated?: boolean;
}

/**
 * Sets an evaluation done, whatever it was doing. The caller holds the row's lock. The token grows: whoever still works
 * on it writes nothing more.
 */
export async function conclude(
  trx: Trx,
  id: string,
  outcome: Outcome,
  reason: Reason | null,
  result: ResultColumns,
): Promise<{ attemptCost: string }> {
  const row = await trx
    .updateTable('evaluation')
    .set((eb) => ({
      ...result,
      status: 'done',
      outcome,
      reason: reason === null ? null : JSON.stringify(storableJson(reason)),
      seed: eb.selectFrom('evaluation_seed').select('seed').where('evaluation_id', '=', id),
      fencing: eb('fencing', '+', '1'),
      parked_from: null,
      lease_holder: null,
      lease_until: null,
      next_attempt_at: null,
      waiting: null,
      waiting_since: null,
      deadline_at: null,
      done_at: sql<Date>`clock_timestamp()`,
    }))
    .where('id', '=', id)
    .returning('attempt_cost')
    .executeTakeFirstOrThrow();
  return { attemptCost: row.attempt_cost };
}
