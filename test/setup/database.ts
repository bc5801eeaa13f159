import { chmod, mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbedded } from '../../domain/db/embedded.ts';
import { isAlive, readPostmaster } from '../../domain/db/embedded-cluster.ts';
import { migrate } from '../../domain/db/migrate.ts';
import { dropDatabase, onServer } from './server-sql.ts';

const folderPrefix = 'collective-test-run-';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Address of a database on the server that all tests of this run share, for creating and dropping databases. */
    serverUrl: string;
    /** Name of the migrated database that every test's own database is a copy of. */
    templateName: string;
  }
}

/**
 * One PostgreSQL for the whole run: `DATABASE_URL` when it is set, else an embedded one without fsync in a temporary folder.
 * It is migrated once into a template; a copy of that takes 30 ms where migrating takes 300.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  const templateName = `collective_template_${process.pid}`;
  try {
    await onServer(server.url, `create database ${templateName}`);
    const templateUrl = new URL(server.url);
    templateUrl.pathname = `/${templateName}`;
    await migrate(templateUrl.href);
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide('serverUrl', server.url);
  project.provide('templateName', templateName);
  return async () => {
    await dropDatabase(server.url, templateName);
    await server.stop();
  };
}

async function startServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  const given = process.env.DATABASE_URL;
  if (given) return { url: given, stop: async () => undefined };
  await removeAbandoned();
  const folder = await mkdtemp(path.join(os.tmpdir(), `${folderPrefix}${process.pid}-`));
  // The server runs under another account when we are root; it must be able to pass through.
  await chmod(folder, 0o755);
  const embedded = await startEmbedded({ folder, log: () => undefined, durable: false });
  const postmaster = await readPostmaster(path.join(folder, 'data'));
  // An interrupted run skips its teardown, and the server, in a session of its own, would stay.
  const abandon = () => {
    if (postmaster !== null && isAlive(postmaster.pid)) process.kill(postmaster.pid, 'SIGQUIT');
  };
  process.once('exit', abandon);
  return {
    url: embedded.url,
    stop: async () => {
      process.off('exit', abandon);
      await embedded.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Folders of interrupted runs, and servers of runs that were killed with -9: they name a process that is gone. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(os.tmpdir())) {
    const pid = name.startsWith(folderPrefix) ? Number.parseInt(name.slice(folderPrefix.length), 10) : Number.NaN;
    if (!(pid > 0) || isAlive(pid)) continue;
    const folder = path.join(os.tmpdir(), name);
    const server = await readPostmaster(path.join(folder, 'data'));
    // The working folder of a server is its data folder: nothing else is ever signalled.
    const works = server && (await readlink(`/proc/${server.pid}/cwd`).catch(() => null));
    if (server && works === path.join(folder, 'data')) process.kill(server.pid, 'SIGQUIT');
    await rm(folder, { recursive: true, force: true });
  }
}
