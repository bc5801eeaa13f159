import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { createOnce, readIfThere } from '../create-once.ts';
import { chooseAccount } from './embedded-account.ts';
import { locateBinaries } from './embedded-binaries.ts';
import { ensureCluster, explain, removeStalePidFile } from './embedded-cluster.ts';
import { choosePlace } from './embedded-place.ts';
import { addressOf, findRunning, launch, type Server, startTimeoutMs, stopServer } from './embedded-server.ts';

/*
 * A real PostgreSQL for people who have none. The programs come from npm; this file starts and stops them.
 *
 *   - The server listens on 127.0.0.1 at a free port, with SCRAM and a random password (file of mode 0600), on no unix
 *     socket. A later start asks for the same port first, so that a pool which outlived a crash finds it again.
 *   - It runs in a session of its own: the terminal's Ctrl-C reaches our processes, which drain and then stop it. It
 *     also outlives a killed parent; the next start adopts it instead of failing on its lock file.
 *   - Starting is one loop: adopt what runs, else start, else look again. That one loop covers a server that was killed
 *     (its pid may stay occupied, its shared memory in use, until the system has cleaned up), a port somebody else took
 *     in between, and two starts of one folder at the same time.
 */

const databaseName = 'collective';

/** Reasons that end by themselves: a killed server that is not gone yet, or a port that was taken in between. */
const mayPass = /lock file .* already exists|shared memory block .* still in use|Address already in use|did not become ready/;

export interface EmbeddedOptions {
  /** Folder for data, password and log; created. */
  folder: string;
  log: (line: string) => void;
  /** `false`: no fsync and commits that do not wait. For tests: a power cut or a kill -9 of the server may lose the last of them. */
  durable?: boolean;
}

export interface Embedded {
  /** Address with password: never print it. */
  url: string;
  /** True when the server was already running: an orphan of a killed process, or one that another process started. */
  adopted: boolean;
  /** Lets running transactions roll back, flushes and stops. A second call does nothing. */
  stop(): Promise<void>;
}

/** Starts or adopts the cluster in `folder`. Throws an error that says what to do; it never contains the password. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  try {
    return await start(options);
  } catch (error) {
    if (['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw explain(error, options.folder);
    throw error;
  }
}

async function start({ folder, log, durable = true }: EmbeddedOptions): Promise<Embedded> {
  const account = await chooseAccount(path.join(folder, 'data'));
  const { folder: place, warning } = await choosePlace(folder, account);
  if (warning !== null) log(warning);
  const runAs = await chooseAccount(path.join(place, 'data'));
  const binaries = await locateBinaries(runAs);
  await createOnce(path.join(place, 'password'), randomBytes(24).toString('hex'));
  const password = (await readFile(path.join(place, 'password'), 'utf8')).trim();
  const server: Server = { binaries, account: runAs, place, password, durable };
  await ensureCluster(binaries, place, runAs, password, durable);
  const { port, adopted } = await adoptOrStart(server);
  await ensureDatabase(addressOf(server, port, 'postgres'));
  let stopping: Promise<void> | undefined;
  return {
    url: addressOf(server, port, databaseName),
    adopted,
    stop: () => {
      stopping ??= stopServer(server);
      return stopping;
    },
  };
}

async function adoptOrStart(server: Server): Promise<{ port: number; adopted: boolean }> {
  const data = path.join(server.place, 'data');
  const deadline = Date.now() + startTimeoutMs;
  let lastProblem: Error | undefined;
  let portTaken = false;
  for (let attempt = 0; Date.now() < deadline; attempt++) {
    const running = await findRunning(server, data);
    if (running !== null) return { port: running, adopted: true };
    await removeStalePidFile(data);
    const port = await pickPort(server.place, portTaken);
    const started = await launch(server, data, port);
    if (started.ok) {
      await writeFile(path.join(server.place, 'port'), String(port), { mode: 0o600 });
      return { port, adopted: false };
    }
    lastProblem = explain(new Error(started.said), server.place);
    portTaken ||= bindFailed.test(started.said);
    if (!mayPass.test(started.said) && attempt >= 2) break;
    await delay(Math.min(50 * 2 ** attempt, 500));
  }
  throw lastProblem ?? new Error(`PostgreSQL in ${server.place} did not answer within ${startTimeoutMs / 1000} s.`);
}

const bindFailed = /could not bind|could not create any TCP|address already in use/i;
/** A server that was killed holds its port until its last process is gone; clients that survived it wait at that port. */
const portTries = 10;
const portTryMs = 100;

/** The port of the last run, unless somebody else has it; then any free one. */
async function pickPort(place: string, portTaken: boolean): Promise<number> {
  const last = portTaken ? 0 : Number(await readIfThere(path.join(place, 'port')));
  if (Number.isInteger(last) && last > 0 && last < 65_536) {
    for (let attempt = 0; attempt < portTries; attempt++) {
      if ((await tryPort(last)) !== null) return last;
      await delay(portTryMs);
    }
  }
  const port = await tryPort(0);
  if (port === null) throw new Error('No free port on 127.0.0.1.');
  return port;
}

function tryPort(wanted: number): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(null));
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : null;
      probe.close(() => resolve(port));
    });
  });
}

async function ensureDatabase(maintenanceUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: maintenanceUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [databaseName]);
    if (rowCount === 0) await client.query(`create database ${databaseName}`);
  } catch (error) {
    // Two starts at once: the other one created it (42P04), or does so this moment (23505 from the catalogue's index).
    if (!['42P04', '23505'].includes((error as pg.DatabaseError).code ?? '')) throw error;
  } finally {
    await client.end();
  }
}
