import type { StageMessage } from '../../contracts/queue.ts';
import { type ConsumerBounds, defaultBounds, type Handler, startConsumer } from './consumer.ts';
import { type Engine, type OnQueueError, postgresEngine, redisEngine, type StageQueue } from './engine.ts';

/*
 * Queues between the stages, by BullMQ on PostgreSQL or on Redis. The row of an evaluation is the truth and a message is
 * only a hint to look at it, so everything here may be lost or happen twice: whoever takes a message claims the row
 * first, and the sweeper sends again what waits too long. What this file adds is that it rarely has to:
 *
 *   - publishing an evaluation that already waits in the queue changes nothing (or moves a delayed message to the new time);
 *   - publishing one that is being worked on delivers it once more when that work has ended (a retry from inside the
 *     handler, a sweeper that thinks the worker is dead);
 *   - a message of a worker that died is delivered again once the lease of its row has run out.
 */

export interface Queues extends AsyncDisposable {
  /** Rejects when the store cannot be reached; the sweeper will publish then. `delayMs`: not before that time has passed. */
  publish(name: string, message: StageMessage, options?: { delayMs?: number }): Promise<void>;
  /** Calls `handler` for up to `concurrency` messages at a time until disposed. `signal` is aborted when closing takes too long. */
  consume(name: string, concurrency: number, handler: Handler): Promise<AsyncDisposable>;
  /** Messages nobody works on yet, delayed ones not counted. */
  waiting(name: string): Promise<number>;
}

export interface QueueOptions {
  databaseUrl: string;
  redisUrl?: string | undefined;
  /** Told of lost connections and of handlers that threw. */
  onError?: OnQueueError;
  /** Begin of every Redis key; two installations on one Redis need two. */
  redisPrefix?: string;
  bounds?: Partial<ConsumerBounds>;
}

/** The PostgreSQL schema must have been migrated. Dispose closes consumers first, each within its bounds, then connections. */
export async function openQueues(options: QueueOptions): Promise<Queues> {
  const onError: OnQueueError = options.onError ?? (() => undefined);
  const bounds = { ...defaultBounds, ...options.bounds };
  const engine: Engine = options.redisUrl
    ? redisEngine(options.redisUrl, options.redisPrefix ?? 'collective', onError)
    : postgresEngine(options.databaseUrl, onError);
  const queues = new Map<string, StageQueue>();
  const consumers = new Set<AsyncDisposable>();
  const queueOf = (name: string) => {
    const known = queues.get(name) ?? engine.queue(name);
    if (!queues.has(name)) {
      known.on('error', (error) => onError(error, `queue ${name}`));
      queues.set(name, known);
    }
    return known;
  };
  let closing: Promise<void> | undefined;
  const close = async () => {
    await Promise.all([...consumers].map((consumer) => consumer[Symbol.asyncDispose]()));
    await Promise.all([...queues.values()].map((queue) => queue.close()));
    await engine.close();
  };
  return {
    publish: async (name, message, { delayMs = 0 } = {}) => {
      const deduplication = { id: message.evaluationId, keepLastIfActive: true, reschedule: true };
      await queueOf(name).add(name, { evaluationId: message.evaluationId }, { delay: delayMs, deduplication });
    },
    consume: async (name, concurrency, handler) => {
      if (consumers.size >= engine.maxConsumers) throw new RangeError(`at most ${engine.maxConsumers} consumers per process`);
      const consumer = await startConsumer(engine, name, concurrency, handler, bounds, onError);
      consumers.add(consumer);
      return {
        [Symbol.asyncDispose]: async () => {
          await consumer[Symbol.asyncDispose]();
          consumers.delete(consumer);
        },
      };
    },
    waiting: async (name) => {
      const counts = await queueOf(name).getJobCounts('waiting', 'prioritized');
      return (counts.waiting ?? 0) + (counts.prioritized ?? 0);
    },
    [Symbol.asyncDispose]: () => {
      closing ??= close();
      return closing;
    },
  };
}
