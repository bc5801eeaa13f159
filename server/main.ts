import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { type Config, readConfig } from '../contracts/config.ts';
import { ensureLocalAccount } from '../domain/accounts.ts';
import { storedBlobs } from '../domain/blobs/stored.ts';
import { openDatabase } from '../domain/db/client.ts';
import { listenForEvents } from '../domain/events/listen.ts';
import { passStandsNow } from '../cli/pass-stands.ts';
import { openInstallation } from '../domain/installation.ts';
import { openQueues } from '../domain/queue/backend.ts';
import { announce } from './announce.ts';
import { type App, buildApp } from './app.ts';
import { hostInUrl, hostNamesOf } from './host-names.ts';

const defaultPort = 4870;
/** Requests that are being answered when the server is told to stop get this long. */
const finishWithinMs = 5_000;
const exitBadConfig = 78;

const parsed = readConfig(process.env);
if (!parsed.ok) refuseConfig(parsed.problems);
const log = pino({ level: parsed.config.LOG_LEVEL, base: { part: 'server' } });
try {
  await main(parsed.config);
} catch (error) {
  log.fatal({ err: error }, 'the server cannot start');
  process.exit(1);
}

/** Builds what the routes need, listens, and tells where. */
async function main(config: Config): Promise<void> {
  const databaseUrl = config.DATABASE_URL;
  if (databaseUrl === undefined) {
    return refuseConfig(['DATABASE_URL: the server needs the address of the database; `collective start` sets it']);
  }
  const home = config.COLLECTIVE_HOME;
  await mkdir(home, { recursive: true, mode: 0o700 });
  const resources = new AsyncDisposableStack();
  const lost = (what: string) => (error: Error) => log.warn({ err: error }, `${what} lost its connection`);
  const database = resources.use(openDatabase(databaseUrl, { maxConnections: 12, name: 'server', onConnectionLost: lost('database') }));
  const onQueueError = (error: Error, where: string) => log.warn({ err: error, where }, 'queue');
  const queues = resources.use(await openQueues({ databaseUrl, redisUrl: config.REDIS_URL, onError: onQueueError }));
  const events = resources.use(await listenForEvents(databaseUrl, lost('event listener')));
  const installation = await openInstallation(home);
  const account = await ensureLocalAccount(database.db, installation);
  const pages = join(import.meta.dirname, '..', 'web', 'dist');
  const app = await buildApp({
    db: database.db,
    blobs: storedBlobs(database.db, join(home, 'blobs')),
    queues,
    events,
    log,
    pages: existsSync(join(pages, 'index.html')) ? pages : null,
    version: await version(),
    hostNames: hostNamesOf(config.HOST, config.PUBLIC_URL),
    publicUrl: config.PUBLIC_URL ?? null,
    passStands: passStandsNow,
    installation,
  });
  const grace = closeWithGrace({ delay: 15_000, logger: log }, async ({ err }) => {
    if (err !== undefined) log.fatal({ err }, 'the server stops because of an error nobody expected');
    await close(app);
    await resources.disposeAsync();
  });
  const port = await listen(app, config);
  const url = config.PUBLIC_URL ?? `http://${hostInUrl(config.HOST)}:${port}`;
  await announce(home, { url, token: account.token });
  if (process.send === undefined) {
    process.stdout.write(`${url} is served; the token of the local account is in ${join(home, 'token')}\n`);
    return;
  }
  // Started by `collective start`: when that process is gone without a word, this one has nothing to live for.
  process.once('disconnect', () => grace.close());
  if (process.connected) process.send({ kind: 'ready', url, token: account.token });
  else grace.close();
}

/** The wanted port; without one, the default or any free port, so that two folders can be served side by side. */
async function listen(app: App, config: Config): Promise<number> {
  try {
    await app.listen({ host: config.HOST, port: config.PORT ?? defaultPort });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (config.PORT !== undefined) refuseConfig([`PORT: ${config.PORT} is in use on ${config.HOST}; choose another or leave it out`]);
    await app.listen({ host: config.HOST, port: 0 });
  }
  return (app.server.address() as AddressInfo).port;
}

/** Lets requests finish; one that does not end in time is cut. */
async function close(app: App): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), finishWithinMs);
  await app.close();
  clearTimeout(cut);
}

async function version(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function refuseConfig(problems: readonly string[]): never {
  for (const problem of problems) process.stderr.write(`configuration: ${problem}\n`);
  process.exit(exitBadConfig);
}
