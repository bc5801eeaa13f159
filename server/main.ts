import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { type Config, readConfig } from '../contracts/config.ts';
import { ensureLocalAccount } from '../domain/accounts.ts';
import { folderBlobs } from '../domain/blobs/blobs.ts';
import { openDatabase } from '../domain/db/client.ts';
import { listenForEvents } from '../domain/events/listen.ts';
import { openInstallation } from '../domain/installation.ts';
import { openQueues } from '../domain/queue/backend.ts';
import { type App, buildApp } from './app.ts';

const defaultPort = 4870;

const parsed = readConfig(process.env);
if (!parsed.ok) {
  for (const problem of parsed.problems) process.stderr.write(`configuration: ${problem}\n`);
  process.exit(78);
}
await main(parsed.config);

/** Builds what the routes need, listens, and tells where. */
async function main(config: Config): Promise<void> {
  const log = pino({ level: config.LOG_LEVEL, base: { part: 'server' }, redact: ['req.headers.authorization', 'req.headers.cookie'] });
  const databaseUrl = config.DATABASE_URL;
  if (databaseUrl === undefined) {
    process.stderr.write('configuration: DATABASE_URL: the server needs the address of the database; `collective start` sets it\n');
    process.exit(78);
  }
  const home = config.COLLECTIVE_HOME;
  await mkdir(home, { recursive: true, mode: 0o711 });
  const resources = new AsyncDisposableStack();
  const database = resources.use(openDatabase(databaseUrl, { maxConnections: 12, name: 'server' }));
  const queues = resources.use(
    await openQueues({
      databaseUrl,
      redisUrl: config.REDIS_URL,
      onError: (error, where) => log.warn({ err: error, where }, 'queue'),
    }),
  );
  const events = resources.use(
    await listenForEvents(databaseUrl, (error) => log.warn({ err: error }, 'event listener lost its connection')),
  );
  const installation = await openInstallation(home);
  const account = await ensureLocalAccount(database.db, installation);
  const pages = join(import.meta.dirname, '..', 'web', 'dist');
  const app = await buildApp({
    db: database.db,
    blobs: folderBlobs(join(home, 'blobs')),
    queues,
    events,
    log,
    pages: existsSync(join(pages, 'index.html')) ? pages : null,
    version: versionOf(),
    hostNames: hostNamesOf(config),
    installation,
  });
  const port = await listen(app, config);
  const url = config.PUBLIC_URL ?? `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}`;
  await writeFile(join(home, 'url'), `${url}\n`);
  await writeFile(join(home, 'token'), `${account.token}\n`, { mode: 0o600 });
  if (process.send === undefined) process.stdout.write(`${url} is served; the token of the local account is in ${join(home, 'token')}\n`);
  else process.send({ kind: 'ready', url, token: account.token });
  const grace = closeWithGrace({ delay: 15_000, logger: log }, async () => {
    await app.close();
    await resources.disposeAsync();
  });
  // Started by `collective start`: when that process is gone without a word, this one has nothing to live for.
  if (process.send !== undefined) process.once('disconnect', () => grace.close());
}

/** The wanted port; without one, the default or any free port, so that two folders can be served side by side. */
async function listen(app: App, config: Config): Promise<number> {
  try {
    await app.listen({ host: config.HOST, port: config.PORT ?? defaultPort });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (config.PORT !== undefined) {
      process.stderr.write(`configuration: PORT: ${config.PORT} is in use on ${config.HOST}; choose another or leave it out\n`);
      process.exit(78);
    }
    await app.listen({ host: config.HOST, port: 0 });
  }
  return (app.server.address() as AddressInfo).port;
}

/** On loopback only loopback names are answered; elsewhere the public address, when it is known. */
function hostNamesOf(config: Config): string[] {
  const loopback = ['localhost', '127.0.0.1', '[::1]'];
  if (config.PUBLIC_URL !== undefined) return [...loopback, new URL(config.PUBLIC_URL).hostname];
  return loopback.includes(config.HOST) || config.HOST === '::1' ? loopback : [];
}

function versionOf(): string {
  const text = readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
