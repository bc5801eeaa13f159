import type { Logger } from 'pino';
import type { Blobs } from '../domain/blobs/blobs.ts';
import type { Db } from '../domain/db/client.ts';
import type { EventListener } from '../domain/events/listen.ts';
import type { Installation } from '../domain/installation.ts';
import type { Queues } from '../domain/queue/backend.ts';

/** What the routes are given; built in `main.ts`, or in a test with a database of its own. */
export interface ServerDeps {
  db: Db;
  blobs: Blobs;
  queues: Queues;
  events: EventListener;
  installation: Installation;
  log: Logger;
  /** Folder of the built pages; null serves the API alone. */
  pages: string | null;
  version: string;
  /** Host names this server answers to; a request that names another is refused (DNS rebinding). Empty: any. */
  hostNames: readonly string[];
}
