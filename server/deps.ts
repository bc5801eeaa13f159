import type { Logger } from 'pino';
import type { Blobs } from '../domain/blobs/blobs.ts';
import type { Db } from '../domain/db/client.ts';
import type { EventListener } from '../domain/events/listen.ts';
import type { Installation } from '../domain/installation.ts';
import type { Queues } from '../domain/queue/backend.ts';
import type { ApplyOptions } from '../domain/regrading-apply.ts';
import type { StreamBounds } from './event-stream.ts';

/** What the routes are given; built in `main.ts`, or in a test with a database of its own. */
export interface ServerDeps {
  db: Db;
  blobs: Blobs;
  queues: Pick<Queues, 'publish' | 'waiting'>;
  events: Pick<EventListener, 'subscribe'>;
  /** The award rule for applied regradings; it belongs to the rubrics, which a server does not load. */
  passStands: ApplyOptions['passStands'];
  installation: Pick<Installation, 'sub'>;
  log: Logger;
  /** Folder of the built pages; null serves the API alone. */
  pages: string | null;
  version: string;
  /** Host names this server answers to, in lower case; a request that names another is refused (DNS rebinding). Empty: any. */
  hostNames: readonly string[];
  /** Where people reach this server when it is not the address it listens on (a proxy in front); null when it is. */
  publicUrl: string | null;
  /** Bounds of event streams; those that are absent have their defaults. */
  streams?: Partial<StreamBounds>;
}
