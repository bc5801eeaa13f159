import type { Split } from '../contracts/rubric.ts';
import type { Db } from './db/client.ts';
import { appendEvents } from './events/append.ts';
import { conclude, doneEvent } from './finishing.ts';
import { cancelledByParticipant } from './reasons.ts';
import { inTransaction } from './transaction.ts';

export type Cancelled =
  | { ok: true; attemptCost: 'returned' | 'spent' }
  | { ok: false; code: 'unknown_evaluation' | 'not_yours' | 'already_done'; message: string };

/**
 * Cancels an evaluation for its participant: free before the first model call and the first result shown (the column
 * `first_call_at` notes whichever came first), else the attempt is spent. A worker that
 * is at it is fenced off and learns so at its next write or renewal.
 */
export function cancel(db: Db, evaluationId: string, account: { id: string }): Promise<Cancelled> {
  return inTransaction(db, async (trx): Promise<Cancelled> => {
    const row = await trx
      .selectFrom('evaluation')
      .innerJoin('submission', 'submission.id', 'evaluation.submission_id')
      .select(['evaluation.status', 'evaluation.splits', 'evaluation.started_at', 'submission.account_id'])
      .where('evaluation.id', '=', evaluationId)
      .forNoKeyUpdate('evaluation')
      .executeTakeFirst();
    if (row === undefined) return { ok: false, code: 'unknown_evaluation', message: 'there is no such evaluation' };
    if (row.account_id !== account.id)
      return { ok: false, code: 'not_yours', message: 'only the participant who submitted it can cancel it' };
    if (row.status === 'done')
      return { ok: false, code: 'already_done', message: 'the evaluation is done, there is nothing left to cancel' };
    const { attemptCost } = await conclude(trx, evaluationId, 'cancelled', cancelledByParticipant, {});
    const about = { splits: row.splits as Split[], casesRan: row.started_at !== null };
    await appendEvents(trx, evaluationId, [doneEvent('cancelled', cancelledByParticipant, about)]);
    return { ok: true, attemptCost: attemptCost === 'spent' ? 'spent' : 'returned' };
  });
}
