import { execFile, spawn } from 'node:child_process';
import { open, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { RunAs } from './embedded-account.ts';
import type { Binaries } from './embedded-binaries.ts';
import { cleanEnvironment, clusterUser, explain, isAlive, readPostmaster } from './embedded-cluster.ts';

/** Long, because after a crash the server first replays its log, and must not be disturbed at that. */
export const startTimeoutMs = 120_000;
const stopTimeoutS = 60;
const exec = promisify(execFile);

export interface Server {
  binaries: Binaries;
  account: RunAs;
  place: string;
  password: string;
  durable: boolean;
}

export function addressOf(server: Server, port: number, database: string): string {
  return `postgresql://${clusterUser}:${server.password}@127.0.0.1:${port}/${database}`;
}

/** Port of a server that runs on this very data folder and takes our password; null when there is none. */
export async function findRunning(server: Server, data: string): Promise<number | null> {
  const named = await readPostmaster(data);
  // A server that still starts (recovery) or stops is not adopted; the loop looks again.
  if (named === null || !named.ready || !isAlive(named.pid)) return null;
  const client = new pg.Client({ connectionString: addressOf(server, named.port, 'postgres'), connectionTimeoutMillis: 3_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('show data_directory');
    return rows[0]?.data_directory === (await realpath(data)) ? named.port : null;
  } catch (error) {
    // Whatever listens there now is not ours, or ours is going down: starting will tell.
    if (!(error instanceof Error)) throw error;
    return null;
  } finally {
    await client.end();
  }
}

function settings(durable: boolean): string[] {
  const durability = durable ? [] : ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'];
  return [
    'max_connections=200',
    'timezone=UTC',
    'log_timezone=UTC',
    // Statements may hold what people sent us; the log gets the error alone.
    'log_min_error_statement=panic',
    'log_error_verbosity=terse',
    ...durability,
  ];
}

/** Starts the server and waits until it takes connections or has given up; `said` is the end of what it logged. */
export async function launch(server: Server, data: string, port: number): Promise<{ ok: true } | { ok: false; said: string }> {
  const logFile = path.join(server.place, 'server.log');
  // Emptied at each start: the log is for the question why it did not start, and must not grow for ever.
  await using log = await open(logFile, 'w', 0o600);
  const options = settings(server.durable).flatMap((setting) => ['-c', setting]);
  const child = spawn(server.binaries.postgres, ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '', ...options], {
    ...server.account,
    cwd: server.place,
    env: cleanEnvironment,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  let failure: string | undefined;
  child.once('error', (error) => {
    failure = error.message;
  });
  child.once('exit', (code, signal) => {
    failure ??= `it exited with ${code ?? signal}`;
  });
  child.unref();
  const deadline = Date.now() + startTimeoutMs;
  while (failure === undefined && Date.now() < deadline) {
    const named = await readPostmaster(data);
    if (named !== null && named.pid === child.pid && named.ready) return { ok: true };
    await delay(10);
  }
  if (failure === undefined) process.kill(child.pid!, 'SIGQUIT');
  const said = (await readFile(logFile, 'utf8')).slice(-4_000);
  return { ok: false, said: `${failure ?? 'it did not become ready'}\n${said}` };
}

/** Fast stop: open transactions roll back, memory is flushed. Nothing happens when it does not run. */
export async function stopServer(server: Server): Promise<void> {
  const named = await readPostmaster(path.join(server.place, 'data'));
  if (named === null || !isAlive(named.pid)) return;
  const options = { ...server.account, cwd: server.place, env: cleanEnvironment };
  try {
    await exec(server.binaries.pgCtl, ['stop', '-D', 'data', '-m', 'fast', '-w', '-s', '-t', String(stopTimeoutS)], options);
  } catch (error) {
    // Somebody else stopped it meanwhile: what was asked for has happened.
    if ((await readPostmaster(path.join(server.place, 'data'))) !== null) throw explain(error, server.place);
  }
}
