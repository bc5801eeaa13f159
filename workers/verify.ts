import type { StageMessage } from '../contracts/queue.ts';
import { sumOfUsage } from '../contracts/target.ts';
import { failAttempt } from '../domain/attempts.ts';
import { checkpoint } from '../domain/checkpoint.ts';
import { workOf } from '../domain/work.ts';
import { finish, finishWithout } from '../domain/finishing.ts';
import { claim } from '../domain/leases.ts';
import { inFileOrder, verdictOf } from '../evaluation/evaluate.ts';
import { awardStanding } from '../domain/judge-audits.ts';
import { resultHash } from '../evaluation/result-hash.ts';
import { stopLoss } from '../rubrics/calibration/award-rule.ts';
import { guardJudgedAward } from '../rubrics/calibration/guard-award.ts';
import { plannedCases, splitsOf } from '../evaluation/world.ts';
import type { WorkerDeps } from './deps.ts';
import { planOf } from './evaluate.ts';
import { keepLease } from './lease-keeper.ts';
import { ourFault } from './our-fault.ts';

/**
 * The verify stage: computes the verdict anew from the stored grades, under a role that sandbox hosts do not have. A
 * host that runs strangers' code can therefore store grades, but never a verdict, a score or a standing.
 */
export async function verifyStage(message: StageMessage, deps: WorkerDeps): Promise<void> {
  const lease = await claim(deps.db, message.evaluationId, { from: ['verifying'], to: 'verifying', workerId: deps.workerId });
  if (lease === null) return;
  using _kept = keepLease(deps.db, lease, new AbortController().signal, deps.log);
  try {
    const work = await workOf(deps.db, lease.evaluationId);
    // The most that a host which runs strangers' code can do with this is what wrong grades could do too.
    if (work.refusal !== null) {
      await finishWithout(deps.db, lease, 'invalid', work.refusal);
      return;
    }
    const plan = await planOf(work, deps);
    const results = inFileOrder(plan, await checkpoint(deps.db, lease.evaluationId));
    const expected = splitsOf(plan.phase).reduce((sum, split) => sum + plannedCases(plan.rubric, split).length, 0);
    if (results.length !== expected) throw new Error(`${results.length} of ${expected} cases are stored`);
    const verdict = verdictOf(plan, results);
    const hash = resultHash({
      rubricHash: work.rubricHash,
      submissionHash: work.contentHash,
      seed: work.seed,
      phase: work.phase,
      verdict,
      results,
    });
    const finished = await finish(deps.db, lease, {
      // The hash is of what a rerun gives; who has to confirm it depends on what people said until now.
      verdict: await guardJudgedAward(plan.rubric, verdict, () => awardStanding(deps.db, plan.rubric.hash, stopLoss.window)),
      resultHash: hash,
      usage: sumOfUsage(results.map((result) => result.usage)),
      simulated: [...plan.targets, ...plan.rubric.rubric.judges].some((model) => model.provider === 'simulated'),
    });
    if (!finished) deps.log.info({ evaluationId: lease.evaluationId }, 'the lease was lost, the verdict is dropped');
  } catch (error) {
    deps.log.error({ err: error, evaluationId: lease.evaluationId }, 'verification failed on our side');
    await failAttempt(deps.db, lease, ourFault('verification_fault', 'The stored grades could not be verified', error));
  }
}
