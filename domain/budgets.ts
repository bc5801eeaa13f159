import { sql } from 'kysely';
import type { Allotment, Amount, Budget } from '../contracts/target.ts';
import type { Db } from './db/client.ts';
import { hold, type Lease } from './leases.ts';
import { inTransaction, type Trx } from './transaction.ts';

/*
 * How much of its budget an evaluation has been handed: in two purses, for calls to targets and for calls to judges, that
 * never pay for each other; else a submission could leave its judges without money. For each of them holds what follows.
 *
 * What a worker draws is committed here before it uses any
 * of it, under the lock of the evaluation's row, so parallel draws never sum above the budget and a crash can only lose
 * budget, never invent it. Both directions need the lease: one that was lost draws nothing and gives nothing back.
 *
 * What a crash leaves unsettled counts as spent, so that all calls of one attempt together stay within the budget
 * whatever dies. It must not be the participant who pays for it: if what is left is then too little, `draw` throws
 * `BudgetLostInCrash` instead of answering short, because a short answer would end the case as the participant's
 * `limit`. The worker fails the attempt with it.
 *
 * A failed attempt (`failAttempt`: always the platform's, a transport's or a grader's fault) starts its successor with
 * the whole budget less what the recorded cases used, since those are not run again. What the rest used is written off:
 * else a rubric whose budget is exactly what it needs could never be retried. The price is bounded: an evaluation
 * uses at most `retryPolicy.attempts` times its budget, and every call of it is in `model_call`.
 */

/** The budget ran out only because a worker died with a part of it. The attempt fails, and no participant pays. */
export class BudgetLostInCrash extends Error {
  override readonly name = 'BudgetLostInCrash';
  constructor() {
    super('what is left of the budget is too little, because a worker stopped while it held a part of it');
  }
}

const nothing: Amount = { calls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0n };

export type Purse = 'targets' | 'judges';

/** The durable allotment of one purse for one lease; `budget` is that purse's. `draw` answers zero once the lease is lost; throws `BudgetLostInCrash`, see above. */
export function allotment(db: Db, lease: Lease, budget: Budget, purse: Purse): Allotment {
  return {
    draw: (wanted) => inTransaction(db, (trx) => draw(trx, lease, { budget, purse }, wanted)),
    giveBack: (unused) => inTransaction(db, (trx) => giveBack(trx, lease, purse, unused)),
  };
}

async function draw(trx: Trx, lease: Lease, { budget, purse }: { budget: Budget; purse: Purse }, wanted: Amount): Promise<Amount> {
  if ((await hold(trx, lease)) === null) return nothing;
  const id = lease.evaluationId;
  // No lost update between the two statements: every draw holds the evaluation's row.
  const before = await trx
    .selectFrom('evaluation_budget')
    .selectAll()
    .where('evaluation_id', '=', id)
    .where('purse', '=', purse)
    .executeTakeFirst();
  const granted: Amount = {
    calls: atMost(wanted.calls, budget.calls, before?.drawn_calls),
    inputTokens: atMost(wanted.inputTokens, budget.inputTokens, before?.drawn_input_tokens),
    outputTokens: atMost(wanted.outputTokens, budget.outputTokens, before?.drawn_output_tokens),
    costMicros: leastBig(wanted.costMicros, BigInt(budget.costMicros) - BigInt(before?.drawn_cost_micros ?? 0)),
  };
  if (before?.crashed === true && isShort(granted, wanted)) throw new BudgetLostInCrash();
  await sql`
    insert into evaluation_budget as b (evaluation_id, purse, drawn_calls, drawn_input_tokens, drawn_output_tokens, drawn_cost_micros)
    values (${id}, ${purse}, ${granted.calls}, ${granted.inputTokens}, ${granted.outputTokens}, ${granted.costMicros})
    on conflict (evaluation_id, purse) do update set
      drawn_calls = b.drawn_calls + excluded.drawn_calls,
      drawn_input_tokens = b.drawn_input_tokens + excluded.drawn_input_tokens,
      drawn_output_tokens = b.drawn_output_tokens + excluded.drawn_output_tokens,
      drawn_cost_micros = b.drawn_cost_micros + excluded.drawn_cost_micros`.execute(trx);
  if (granted.calls > 0) {
    await trx
      .updateTable('evaluation')
      .set({ first_call_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', id)
      .where('first_call_at', 'is', null)
      .execute();
  }
  return granted;
}

/** Giving back more than was drawn is a bug of the meter and violates a CHECK. */
async function giveBack(trx: Trx, lease: Lease, purse: Purse, unused: Amount): Promise<void> {
  if ((await hold(trx, lease)) === null) return;
  await sql`
    update evaluation_budget set
      drawn_calls = drawn_calls - ${unused.calls},
      drawn_input_tokens = drawn_input_tokens - ${unused.inputTokens},
      drawn_output_tokens = drawn_output_tokens - ${unused.outputTokens},
      drawn_cost_micros = drawn_cost_micros - ${unused.costMicros}
    where evaluation_id = ${lease.evaluationId} and purse = ${purse}`.execute(trx);
}

/** Sets what is drawn of both purses to what the recorded cases used. The caller holds the row's lock. */
export async function writeOffDraws(trx: Trx, evaluationId: string): Promise<void> {
  await sql`
    update evaluation_budget as b set
      drawn_calls = kept.calls, drawn_input_tokens = kept.input_tokens,
      drawn_output_tokens = kept.output_tokens, drawn_cost_micros = kept.cost_micros, crashed = false
    from (
      select purse, coalesce(sum(calls), 0) as calls, coalesce(sum(input_tokens), 0) as input_tokens,
        coalesce(sum(output_tokens), 0) as output_tokens, coalesce(sum(cost_micros), 0) as cost_micros
      from (values ('targets'), ('judges')) as p (purse) left join (
        select 'targets', calls, input_tokens, output_tokens, cost_micros
        from case_result where evaluation_id = ${evaluationId} and settled
        union all
        select 'judges', judge_calls, judge_input_tokens, judge_output_tokens, judge_cost_micros
        from case_result where evaluation_id = ${evaluationId} and settled
      ) as used (purse, calls, input_tokens, output_tokens, cost_micros) using (purse)
      group by purse
    ) as kept
    where b.evaluation_id = ${evaluationId} and b.purse = kept.purse`.execute(trx);
}

const atMost = (wanted: number, limit: number, drawn: string | undefined): number =>
  Math.max(0, Math.min(wanted, limit - Number(drawn ?? 0)));
const leastBig = (wanted: bigint, left: bigint): bigint => (left <= 0n ? 0n : wanted < left ? wanted : left);
const isShort = (granted: Amount, wanted: Amount): boolean =>
  granted.calls < wanted.calls ||
  granted.inputTokens < wanted.inputTokens ||
  granted.outputTokens < wanted.outputTokens ||
  granted.costMicros < wanted.costMicros;
