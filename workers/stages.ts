import type { Config } from '../contracts/config.ts';
import { type Need, queueName, type StageMessage } from '../contracts/queue.ts';
import type { Installation } from '../domain/installation.ts';
import { heartbeat, removeWorker } from '../domain/workers.ts';
import type { EvaluatorDeps } from './deps.ts';
import { evaluateStage } from './evaluate.ts';
import { loadLibrary } from './library.ts';
import { type Offer, offers } from './sandbox-drivers.ts';
import { screenStage } from './screen.ts';
import { startSweeping } from './sweep.ts';
import { verifyStage } from './verify.ts';

const heartbeatEveryMs = 5_000;
/** Probing drivers costs an engine call; a new engine or image is noticed within this time. */
const probeEveryMs = 30_000;

export interface StageOptions {
  stages: Config['WORKER_STAGES'];
  /** Messages of one stage handled side by side. */
  concurrency: number;
  /** Name of this machine, shown to operators. */
  name: string;
  installation: Installation | null;
  /** Folder of the built-in challenges. */
  library: string;
  deps: EvaluatorDeps;
}

/** Starts the named stages; disposing stops taking work, hands running evaluations back and waits for the handlers. */
export async function startStages(options: StageOptions): Promise<AsyncDisposable> {
  const { deps, stages, concurrency } = options;
  const stopping = new AbortController();
  const resources = new AsyncDisposableStack();
  const consume = async (name: string, handler: (message: StageMessage) => Promise<void>) => {
    resources.use(await deps.queues.consume(name, concurrency, handler));
  };
  try {
    if (stages.includes('screen')) await consume(queueName.screen, (message) => screenStage(message, deps));
    if (stages.includes('verify')) await consume(queueName.verify, (message) => verifyStage(message, deps));
    await startBeating(options, resources, (need) =>
      consume(queueName.evaluate(need), (message) => evaluateStage(message, deps, { need, stopping: stopping.signal })),
    );
    if (stages.includes('sweep')) resources.use(startSweeping(deps));
    if (stages.includes('library') && options.installation !== null) await loadLibrary(options.library, deps, options.installation);
  } catch (error) {
    await disposeInOrder(resources, stopping);
    throw error;
  }
  return { [Symbol.asyncDispose]: () => disposeInOrder(resources, stopping) };
}

/** The abort comes first, or closing a queue would wait for evaluations that nobody told to stop. */
async function disposeInOrder(resources: AsyncDisposableStack, stopping: AbortController): Promise<void> {
  stopping.abort(new Error('the worker is stopping'));
  await resources.disposeAsync();
}

/**
 * Says every few seconds that this worker is alive and what it can do. An evaluating worker consumes one queue per need it
 * can serve, and goes on looking for needs that become available: an engine that was started. Images that were built
 * meanwhile are read at the next start.
 */
async function startBeating(
  options: StageOptions,
  resources: AsyncDisposableStack,
  serveNeed: (need: Need) => Promise<void>,
): Promise<void> {
  const { deps } = options;
  const evaluates = options.stages.includes('evaluate');
  const look = async (): Promise<Offer> => (evaluates ? offers(deps.sandboxes) : { needs: [], unavailable: [] });
  const serving = new Set<Need>();
  let offer = await look();
  let lookedAt = performance.now();
  const beat = async () => {
    if (performance.now() - lookedAt > probeEveryMs) {
      offer = await look();
      lookedAt = performance.now();
    }
    for (const need of offer.needs.filter((one) => !serving.has(one) && !resources.disposed)) {
      await serveNeed(need);
      serving.add(need);
    }
    await heartbeat(deps.db, {
      id: deps.workerId,
      name: options.name,
      stages: options.stages,
      needs: offer.needs,
      unavailable: offer.unavailable,
    });
  };
  await beat();
  let beating: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    beating = beating.then(beat).catch((error: unknown) => deps.log.warn({ err: error }, 'heartbeat failed, the next one tries again'));
  }, heartbeatEveryMs);
  resources.defer(async () => {
    clearInterval(timer);
    await beating;
    await removeWorker(deps.db, deps.workerId);
  });
}
