import { queueName } from '../contracts/queue.ts';
import { ensureEventPartitions } from '../domain/events/partitions.ts';
import { forgetOldKeys } from '../domain/idempotency.ts';
import { forgetOldReplies } from '../domain/judge-replies.ts';
import { expireUnrunnable, findStuck } from '../domain/sweeping.ts';
import { forgetDeadWorkers } from '../domain/workers.ts';
import type { WorkerDeps } from './deps.ts';

const sweepEveryMs = 2_000;
const tidyEveryMs = 3_600_000;
const keepKeysMs = 7 * 24 * 3_600_000;

/**
 * The sweeper makes "nothing is ever stuck" true: a message can be lost, a worker can die, no worker may be able to run
 * a thing. Rows say what should be happening; whatever has no message or no live lease is sent again. Sending twice is
 * harmless, because the claiming update decides.
 */
export function startSweeping(deps: WorkerDeps): AsyncDisposable {
  let lastTidied = Number.NEGATIVE_INFINITY;
  let running: Promise<void> = Promise.resolve();
  const once = async () => {
    if (performance.now() - lastTidied > tidyEveryMs) {
      await tidy(deps);
      lastTidied = performance.now();
    }
    await sweep(deps);
  };
  const timer = setInterval(() => {
    running = running.then(once).catch((error: unknown) => deps.log.error({ err: error }, 'the sweep failed, the next one tries again'));
  }, sweepEveryMs);
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

/** What only has to happen now and then. */
async function tidy(deps: WorkerDeps): Promise<void> {
  await ensureEventPartitions(deps.pool);
  await forgetOldKeys(deps.db, keepKeysMs);
  await forgetDeadWorkers(deps.db);
  await forgetOldReplies(deps.db);
}

/** One pass; returns how many evaluations were sent again. */
export async function sweep(deps: Pick<WorkerDeps, 'db' | 'queues' | 'log'>): Promise<number> {
  const stuck = await findStuck(deps.db);
  for (const { evaluationId, stage, need } of stuck) {
    const queue = stage === 'evaluate' ? queueName.evaluate(need) : queueName[stage];
    await deps.queues.publish(queue, { evaluationId });
  }
  if (stuck.length > 0) deps.log.info({ count: stuck.length }, 'sent again what had no message or no live worker');
  const expired = await expireUnrunnable(deps.db);
  if (expired.length > 0) deps.log.warn({ evaluations: expired }, 'ended: no worker could run them before the deadline');
  return stuck.length;
}
