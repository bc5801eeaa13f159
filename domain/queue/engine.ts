import { type BackendFactory, createPostgresBackend, createRedisBackend, type IQueueBackend, isPgPool, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Need, type StageMessage } from '../../contracts/queue.ts';

/** What is used of BullMQ's Queue and Worker; their own types differ between the two stores. */
export interface StageQueue {
  add(
    name: string,
    data: StageMessage,
    options: { delay?: number; deduplication: { id: string; keepLastIfActive: boolean; reschedule: boolean } },
  ): Promise<unknown>;
  getJobCounts(...states: ('waiting' | 'prioritized')[]): Promise<Record<string, number>>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}
export interface StageWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  pause(doNotWaitForHandlers: boolean): Promise<void>;
  close(force?: boolean): Promise<void>;
}
/** `data` is what lies in the store: parse it. */
type Processor = (data: unknown) => Promise<void>;

/** BullMQ on one of its two stores; everything above this file is the same for both. */
export interface Engine {
  kind: 'postgres' | 'redis';
  /** How many consumers one process may have. */
  maxConsumers: number;
  queue(name: string): StageQueue;
  worker(name: string, processor: Processor, options: WorkerTuning): StageWorker;
  close(): Promise<void>;
}

export interface WorkerTuning {
  concurrency: number;
  /** How long a message stays with a process that no longer renews it; then another one gets it. */
  lockDuration: number;
  stalledInterval: number;
  maxStalledCount: number;
  /** Pause after the store could not be reached. */
  runRetryDelay: number;
}

export type OnQueueError = (error: Error, where: string) => void;

/** Removed at once, never by count or age: on PostgreSQL such retention deadlocks and turns finished jobs into failed ones. */
const removal = { removeOnComplete: true, removeOnFail: true } as const;

/** The two stores' classes have types that do not unify; bound once to what they share. */
function classesOf<C>(factory: BackendFactory<IQueueBackend, C>) {
  return withBackend<IQueueBackend, C>(factory);
}

/** Jobs in the schema `bullmq` of the database. Each consumer keeps one connection for LISTEN: too small a pool would stand still for ever. */
export function postgresEngine(url: string, onError: OnQueueError): Engine {
  // One worker process may serve every stage and every need.
  const maxConsumers = Need.options.length + 2;
  // A pool of its own: BullMQ finds its schema by search_path.
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConsumers + 8,
    application_name: 'collective queue',
    options: '-c search_path=bullmq -c statement_timeout=30000',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  pool.on('error', (error) => onError(error, 'queue connection'));
  // The pool listens to idle connections only; one that breaks while it is used would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  // Every queue and worker adds listeners of its own.
  pool.setMaxListeners(0);
  const connection: unknown = pool;
  if (!isPgPool(connection)) throw new TypeError('this version of bullmq does not take a pg.Pool');
  const { Queue, Worker } = classesOf(createPostgresBackend);
  return {
    kind: 'postgres',
    maxConsumers,
    queue: (name) => new Queue(name, { connection, defaultJobOptions: removal }),
    worker: (name, process, tuning) => new Worker(name, (job) => process(job.data), { connection, ...tuning }),
    close: () => pool.end(),
  };
}

/** Jobs in Redis, under `prefix`. Publishing gives up after a few tries, so that its caller hears of it; consuming waits for ever. */
export function redisEngine(url: string, prefix: string, onError: OnQueueError): Engine {
  const open = (maxRetriesPerRequest: number | null) => {
    const client = new Redis(url, { maxRetriesPerRequest, retryStrategy: (attempt) => Math.min(attempt * 100, 2_000) });
    client.on('error', (error) => onError(error, 'queue connection'));
    client.setMaxListeners(0);
    return client;
  };
  const publishing = open(3);
  const consuming = open(null);
  const { Queue, Worker } = classesOf(createRedisBackend);
  return {
    kind: 'redis',
    maxConsumers: 1_000,
    queue: (name) => new Queue(name, { connection: publishing, prefix, defaultJobOptions: removal }),
    worker: (name, process, tuning) => new Worker(name, (job) => process(job.data), { connection: consuming, prefix, ...tuning }),
    close: async () => {
      for (const client of [publishing, consuming]) client.disconnect();
    },
  };
}
