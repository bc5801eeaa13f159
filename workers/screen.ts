import { queueName, type StageMessage } from '../contracts/queue.ts';
import type { Reason } from '../contracts/status.ts';
import { failAttempt } from '../domain/attempts.ts';
import { workOf } from '../domain/work.ts';
import { finishWithout } from '../domain/finishing.ts';
import { claim, type Lease } from '../domain/leases.ts';
import { moveTo } from '../domain/moves.ts';
import { needOf } from '../evaluation/needs.ts';
import { casesOf } from '../evaluation/world.ts';
import { checkSubmission } from '../rubrics/check-submission.ts';
import type { WorkerDeps } from './deps.ts';
import { planOf } from './evaluate.ts';
import { keepLease } from './lease-keeper.ts';
import { ourFault } from './our-fault.ts';

/** The screen stage: does the submission fit the rubric's form? If so it is queued for a worker that can run it. */
export async function screenStage(message: StageMessage, deps: WorkerDeps): Promise<void> {
  const lease = await claim(deps.db, message.evaluationId, { from: ['received', 'screening'], to: 'screening', workerId: deps.workerId });
  if (lease === null) return;
  using _kept = keepLease(deps.db, lease, new AbortController().signal, deps.log);
  try {
    await screen(lease, deps);
  } catch (error) {
    deps.log.error({ err: error, evaluationId: lease.evaluationId }, 'screening failed on our side');
    await failAttempt(deps.db, lease, ourFault('platform_fault', 'The platform could not read this submission', error));
  }
}

async function screen(lease: Lease, deps: WorkerDeps): Promise<void> {
  const plan = await planOf(await workOf(deps.db, lease.evaluationId), deps);
  const cases = casesOf(plan.rubric, plan.phase).map((one) => one.case);
  const checked = checkSubmission(plan.rubric.rubric, cases, plan.submission);
  if (!checked.ok) {
    const [first] = checked.errors;
    const more = checked.errors.length > 1 ? ` (and ${checked.errors.length - 1} more)` : '';
    await finishWithout(deps.db, lease, 'invalid', invalid(`${first?.path === '' ? '' : `${first?.path}: `}${first?.message}${more}`));
    return;
  }
  const need = needOf(plan.rubric.rubric, plan.submission);
  if (need === null) {
    await finishWithout(deps.db, lease, 'invalid', invalid('this challenge offers no sandbox profile for a program in this language'));
    return;
  }
  if (await moveTo(deps.db, lease, 'queued', { need }))
    await deps.queues.publish(queueName.evaluate(need), { evaluationId: lease.evaluationId });
}

const invalid = (message: string): Reason => ({
  code: 'invalid_submission',
  faultOf: 'participant',
  message: `The submission does not fit the challenge's form: ${message}`.slice(0, 2000),
  advice: 'Compare it with the form on the challenge page, mend it and submit again.',
});
