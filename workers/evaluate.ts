import { Buffer } from 'node:buffer';
import { parseBoundedJson } from '../contracts/json.ts';
import { type Need, queueName, type StageMessage } from '../contracts/queue.ts';
import type { Reason } from '../contracts/status.ts';
import { SubmissionDocument } from '../contracts/submission.ts';
import { failAttempt } from '../domain/attempts.ts';
import { allotment, writeOffDraws } from '../domain/budgets.ts';
import { checkpoint } from '../domain/checkpoint.ts';
import { storedReplies } from '../domain/judge-replies.ts';
import { claim, type Lease } from '../domain/leases.ts';
import { moveTo } from '../domain/moves.ts';
import { inTransaction } from '../domain/transaction.ts';
import { type ClaimedEvaluation, workOf } from '../domain/work.ts';
import { evaluate } from '../evaluation/evaluate.ts';
import type { EvaluationPlan } from '../evaluation/plan.ts';
import type { EvaluatorDeps } from './deps.ts';
import { keepLease, LeaseLost } from './lease-keeper.ts';
import { ourFault } from './our-fault.ts';
import { recordingSink } from './recording-sink.ts';

const unfinished = 'The platform could not finish this evaluation';

export interface EvaluateSetting {
  /** Which queue the message came from. */
  need: Need;
  /** Aborts when this worker is told to stop. */
  stopping: AbortSignal;
}

/**
 * The evaluate stage: claims one queued evaluation, runs what is left of it, and hands it to verification. Everything
 * it writes carries the fencing token of its claim; when the lease is lost it stops and leaves no trace.
 */
export async function evaluateStage(message: StageMessage, deps: EvaluatorDeps, { need, stopping }: EvaluateSetting): Promise<void> {
  if (stopping.aborted) return await deps.queues.publish(queueName.evaluate(need), message);
  const lease = await claim(deps.db, message.evaluationId, {
    from: ['queued', 'running', 'grading'],
    to: 'running',
    workerId: deps.workerId,
    need,
  });
  if (lease === null) return;
  const log = deps.log.child({ evaluationId: lease.evaluationId });
  using kept = keepLease(deps.db, lease, stopping, log);
  try {
    const work = await workOf(deps.db, lease.evaluationId);
    const interrupted = await runOnce(await planOf(work, deps), lease, deps, kept.signal);
    if (interrupted !== null) log.warn({ result: await failAttempt(deps.db, lease, interrupted) }, interrupted.message);
  } catch (error) {
    if (error instanceof LeaseLost || kept.signal.reason instanceof LeaseLost) return log.info('the lease was lost, the work is dropped');
    if (stopping.aborted) return await handBack(deps, lease, need);
    log.error({ err: error }, 'the evaluation failed on our side');
    await failAttempt(deps.db, lease, ourFault('platform_fault', unfinished, error));
  }
}

/** Null when the evaluation went on to verification, else why the attempt failed. */
async function runOnce(plan: EvaluationPlan, lease: Lease, deps: EvaluatorDeps, signal: AbortSignal): Promise<Reason | null> {
  await using sink = recordingSink(deps, lease);
  const output = await evaluate(plan, {
    gateway: deps.gateway,
    sandboxes: deps.sandboxes,
    allotment: allotment(deps.db, lease, plan.rubric.rubric.budget, 'targets'),
    judging: { allotment: allotment(deps.db, lease, plan.rubric.rubric.judging, 'judges'), replies: storedReplies(deps.db) },
    sink,
    signal,
    checkpoint: await checkpoint(deps.db, lease.evaluationId),
  });
  await sink.flush();
  if (output.verdict.outcome === 'error')
    return output.verdict.reason ?? ourFault('platform_fault', unfinished, 'it ended without a reason');
  // Verification alone may say that it is invalid; it is told why.
  const patch = output.refusal === null ? {} : { refusal: output.refusal };
  if (!(await moveTo(deps.db, lease, 'verifying', patch))) throw new LeaseLost('the lease was lost at the end');
  await deps.queues.publish(queueName.verify, { evaluationId: lease.evaluationId });
  return null;
}

/** Reads back what was stored: the rubric version and the submission, checked again by schema. */
export async function planOf(work: ClaimedEvaluation, deps: Pick<EvaluatorDeps, 'blobs' | 'rubrics'>): Promise<EvaluationPlan> {
  const rubric = await deps.rubrics.get(work.rubricHash);
  const phase = rubric.rubric.phases.find((one) => one.name === work.phase);
  if (phase === undefined) throw new Error(`rubric ${work.rubricHash} has no phase "${work.phase}"`);
  const bytes = await deps.blobs.get(work.contentHash);
  if (bytes === null) throw new Error(`the submission's blob ${work.contentHash} is missing`);
  const parsed = parseBoundedJson(bytes, { maxBytes: Buffer.byteLength(bytes), maxDepth: 64 });
  if (!parsed.ok) throw new Error(`the submission's blob ${work.contentHash} ${parsed.problem}`);
  const submission = SubmissionDocument.parse(parsed.value);
  return { id: work.evaluationId, rubric, phase, submission, seed: work.seed, targets: rubric.rubric.targets, purpose: 'grading' };
}

/**
 * A worker that is told to stop gives its work back at once instead of letting the lease run out. Calls that were cut
 * off by it are not the participant's to pay for: as after a failed attempt, only what recorded cases used stays drawn.
 */
async function handBack(deps: EvaluatorDeps, lease: Lease, need: Need): Promise<void> {
  const moved = await inTransaction(deps.db, async (trx) => {
    const held = await moveTo(trx, lease, 'queued');
    if (held) await writeOffDraws(trx, lease.evaluationId);
    return held;
  });
  if (!moved) return;
  await deps.queues.publish(queueName.evaluate(need), { evaluationId: lease.evaluationId });
  deps.log.info({ evaluationId: lease.evaluationId }, 'stopping: the evaluation is queued again');
}
