import type pg from 'pg';
import type { Logger } from 'pino';
import type { SandboxDriver } from '../contracts/sandbox.ts';
import type { Blobs } from '../domain/blobs/blobs.ts';
import type { Db } from '../domain/db/client.ts';
import type { Queues } from '../domain/queue/backend.ts';
import type { Gateway } from '../gateway/session.ts';
import type { DoctorKeeper } from './doctor-keeper.ts';
import type { RubricCache } from './rubric-cache.ts';

/** What every stage is given. Built once in `main.ts`; nothing else reads the environment. */
export interface WorkerDeps {
  workerId: string;
  db: Db;
  pool: pg.Pool;
  blobs: Blobs;
  queues: Queues;
  rubrics: RubricCache;
  log: Logger;
}

/** The evaluate stage alone touches sandboxes and models. */
export interface EvaluatorDeps extends WorkerDeps {
  gateway: Gateway;
  sandboxes: readonly SandboxDriver[];
  doctor: DoctorKeeper;
}
