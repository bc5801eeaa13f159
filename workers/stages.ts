import pLimit from 'p-limit';
import type { Config } from '../contracts/config.ts';
import { type Need, queueName, type StageMessage } from '../contracts/queue.ts';
import type { Installation } from '../domain/installation.ts';
import { startBeating } from './beating.ts';
import type { EvaluatorDeps } from './deps.ts';
import { evaluateStage } from './evaluate.ts';
import { loadLibrary } from './library.ts';
import { screenStage } from './screen.ts';
import { startSweeping } from './sweep.ts';
import { verifyStage } from './verify.ts';

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
  // One bound for all needs together: a worker that serves many of them is no larger for it.
  const evaluating = pLimit(concurrency);
  const serve = (need: Need, stillOffered: () => boolean) =>
    deps.queues.consume(queueName.evaluate(need), concurrency, (message) =>
      evaluating(async () => {
        // A message that came after the offer was withdrawn is dropped: the row waits, and the sweeper sends it again.
        if (stillOffered()) await evaluateStage(message, deps, { need, stopping: stopping.signal });
      }),
    );
  try {
    if (stages.includes('screen')) await consume(queueName.screen, (message) => screenStage(message, deps));
    if (stages.includes('verify')) await consume(queueName.verify, (message) => verifyStage(message, deps));
    resources.use(deps.doctor);
    resources.use(await startBeating({ ...options, serve }));
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
