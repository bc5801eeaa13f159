import { setTimeout as delay } from 'node:timers/promises';
import { leaseMs, StageMessage } from '../../contracts/queue.ts';
import type { Engine, OnQueueError, StageWorker, WorkerTuning } from './engine.ts';

export type Handler = (message: StageMessage, signal: AbortSignal) => Promise<void>;

/** How long a closing consumer lets its handlers finish, and then, with their signal aborted, give up. */
interface CloseBounds {
  finishMs: number;
  abortMs: number;
}

export interface ConsumerBounds extends CloseBounds {
  /** How long a message stays with a process that died. */
  lockMs: number;
}

export const defaultBounds: ConsumerBounds = {
  finishMs: 20_000,
  abortMs: 3_000,
  // As long as the row's lease: earlier nobody could take the row over anyway.
  lockMs: leaseMs,
};

function tuning(lockMs: number): Omit<WorkerTuning, 'concurrency'> {
  return {
    lockDuration: lockMs,
    stalledInterval: lockMs / 3,
    // The row counts attempts; the queue must never give a message up because workers keep dying.
    maxStalledCount: 1_000_000,
    runRetryDelay: 500,
  };
}

/**
 * Runs `handler` for each message, `concurrency` at a time. A handler that throws ends its message (the row and the
 * sweeper decide what comes next) and is reported. Closing takes no new messages, waits for the running handlers,
 * then aborts their signals, then leaves: what was not finished is delivered again to another consumer.
 */
export async function startConsumer(
  engine: Engine,
  name: string,
  concurrency: number,
  handler: Handler,
  bounds: ConsumerBounds,
  onError: OnQueueError,
): Promise<AsyncDisposable> {
  const running = new Set<Promise<void>>();
  const stop = new AbortController();
  const worker = engine.worker(
    name,
    async (data) => {
      const work = handle(data, handler, stop.signal).catch((error: unknown) => {
        onError(error instanceof Error ? error : new Error(String(error)), `handler of ${name}`);
      });
      running.add(work);
      await work;
      running.delete(work);
    },
    { concurrency, ...tuning(bounds.lockMs) },
  );
  worker.on('error', (error) => onError(error, `worker of ${name}`));
  await worker.waitUntilReady();
  let closing: Promise<void> | undefined;
  return {
    [Symbol.asyncDispose]: () => {
      closing ??= close(worker, running, stop, bounds, () => onError(new Error('handlers did not end in time'), `closing ${name}`));
      return closing;
    },
  };
}

async function handle(data: unknown, handler: Handler, signal: AbortSignal): Promise<void> {
  const message = StageMessage.parse(data);
  await handler(message, signal);
}

async function close(worker: StageWorker, running: Set<Promise<void>>, stop: AbortController, bounds: CloseBounds, onLate: () => void) {
  await worker.pause(true);
  let finished = await allWithin(running, bounds.finishMs);
  stop.abort(new Error('the worker is stopping'));
  if (!finished) finished = await allWithin(running, bounds.abortMs);
  if (!finished) onLate();
  await worker.close(!finished);
}

/** Also those that begin while it waits: a message that was on its way when the worker paused. */
async function allWithin(running: Set<Promise<void>>, timeoutMs: number): Promise<boolean> {
  const over = new AbortController();
  const deadline = delay(timeoutMs, true, { signal: over.signal }).catch(() => true);
  let late = false;
  while (running.size > 0 && !late) late = await Promise.race([Promise.all(running).then(() => false), deadline]);
  over.abort();
  return !late;
}
