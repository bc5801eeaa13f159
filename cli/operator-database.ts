import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../contracts/config.ts';
import type { Blobs } from '../domain/blobs/blobs.ts';
import { storedBlobs } from '../domain/blobs/stored.ts';
import { type Db, openDatabase } from '../domain/db/client.ts';
import { startEmbedded } from '../domain/db/embedded.ts';
import { exitCodes, InputError, inWords } from './exit-codes.ts';
import { lockFolder } from './folder-lock.ts';
import { migrateDatabase } from './migrate-database.ts';

/** The records of an installation, for commands of whoever runs it. */
export interface OperatorRecords extends AsyncDisposable {
  db: Db;
  blobs: Blobs;
  /** The account of this machine. */
  account: { id: string; name: string };
}

/**
 * Opens the database of DATABASE_URL, or the one in the home folder: as it runs when `collective start` does, else started
 * for this command and stopped after it. Throws an InputError when it cannot be had or nobody has ever signed in to it.
 */
export async function operatorRecords(config: Config): Promise<OperatorRecords> {
  const home = resolve(config.COLLECTIVE_HOME);
  await using resources = new AsyncDisposableStack();
  const url = config.DATABASE_URL ?? (await embeddedDatabase(home, resources));
  const { db } = resources.use(openDatabase(url, { maxConnections: 4, name: 'collective command' }));
  const account = await db
    .selectFrom('account')
    .select(['id', 'name'])
    .where('kind', '=', 'local')
    .executeTakeFirst()
    .catch((error: unknown) => {
      throw databaseError(error);
    });
  if (account === undefined)
    throw new InputError('nothing was ever judged here: start the server once with `npx collective start`', exitCodes.error);
  const opened = resources.move();
  return { db, blobs: storedBlobs(db, join(home, 'blobs')), account, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** A home that is in use has its database running: it is used as it is, and left running. */
async function embeddedDatabase(home: string, resources: AsyncDisposableStack): Promise<string> {
  await mkdir(home, { recursive: true, mode: 0o711 });
  const lock = await lockFolder(home).catch((error: unknown) => {
    if (error instanceof InputError) return null;
    throw error;
  });
  if (lock !== null) resources.use(lock);
  const cluster = await startEmbedded({ folder: join(home, 'postgres'), log: (line) => process.stderr.write(`${line}\n`) }).catch(
    (error: unknown) => {
      throw inWords(error);
    },
  );
  if (lock === null) return cluster.url;
  resources.defer(() => cluster.stop());
  await migrateDatabase(cluster.url);
  return cluster.url;
}

function databaseError(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message: string };
  if (typeof code !== 'string') return error;
  if (code === '42P01') return new InputError('the database is not migrated: `npx collective migrate` does it', exitCodes.error);
  return new InputError(`the database cannot be used: ${message === '' ? code : message}`, exitCodes.error);
}
