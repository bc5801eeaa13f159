import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { storedBlobs } from '../domain/blobs/stored.ts';
import { publishRubric } from '../domain/challenges.ts';
import { openDatabase } from '../domain/db/client.ts';
import { type Embedded, startEmbedded } from '../domain/db/embedded.ts';
import { migrate } from '../domain/db/migrate.ts';
import { openQueues } from '../domain/queue/backend.ts';
import { createGateway } from '../gateway/gateway.ts';
import { createProviders } from '../gateway/providers/create.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { rubricInWords } from '../rubrics/words.ts';
import { doctorOf } from '../test/setup/machine.ts';
import type { EvaluatorDeps } from '../workers/deps.ts';
import { rubricCache } from '../workers/rubric-cache.ts';

/** A database of its own in a temporary folder; both are gone when disposed. */
export interface BenchHome extends AsyncDisposable {
  folder: string;
  databaseUrl: string;
}

export async function openHome(): Promise<BenchHome> {
  const folder = await mkdtemp(join(tmpdir(), 'collective-bench-'));
  // Started by root, the database runs under another account, which must be able to pass through.
  await chmod(folder, 0o711);
  let cluster: Embedded | null = null;
  const close = async () => {
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    cluster = await startEmbedded({ folder: join(folder, 'postgres'), log: () => {} });
    await migrate(cluster.url);
  } catch (error) {
    await close();
    throw error;
  }
  return { folder, databaseUrl: cluster.url, [Symbol.asyncDispose]: close };
}

/** What a worker has, without sandboxes; real providers only where `openaiBaseUrl` says where they are. */
export async function openWorker(
  home: Pick<BenchHome, 'folder' | 'databaseUrl'>,
  openaiBaseUrl?: string,
): Promise<{ deps: EvaluatorDeps } & AsyncDisposable> {
  const database = openDatabase(home.databaseUrl, { maxConnections: 10, name: 'bench' });
  const queues = await openQueues({ databaseUrl: home.databaseUrl });
  const blobs = storedBlobs(database.db, join(home.folder, 'blobs'));
  return {
    deps: {
      workerId: uuidv7(),
      db: database.db,
      pool: database.pool,
      blobs,
      queues,
      rubrics: rubricCache(database.db, blobs),
      log: pino({ level: 'silent' }),
      gateway: createGateway(createProviders({ openaiBaseUrl })),
      sandboxes: [],
      doctor: doctorOf(),
    },
    [Symbol.asyncDispose]: async () => {
      await queues[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Publishes a loaded rubric as the library does at first start. */
export async function publish(rubric: LoadedRubric, { db, blobs }: Pick<EvaluatorDeps, 'db' | 'blobs'>): Promise<void> {
  const counts = { public: rubric.cases.public.length, hidden: rubric.cases.hidden.length, holdout: rubric.cases.holdout.length };
  const files = await Promise.all(
    rubric.files.map(async ({ path, sha256 }) => ({ path, sha256, bytes: await readFile(join(rubric.folder, path)) })),
  );
  const publicCases = rubric.cases.public.map((one) => ({ id: one.id, key: one.key ?? one.id, input: one.input }));
  await publishRubric(db, blobs, {
    ...{ rubric: rubric.rubric, hash: rubric.hash, readme: rubric.readme, files, counts, publicCases },
    words: rubricInWords(rubric.rubric, counts),
  });
}

/** The middle value; the higher of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
