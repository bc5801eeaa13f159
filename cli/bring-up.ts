import { join } from 'node:path';
import type { Config } from '../contracts/config.ts';
import { startEmbedded } from '../domain/db/embedded.ts';
import { ensureEvaluatorRole } from '../domain/db/evaluator-role.ts';
import { openInstallation } from '../domain/installation.ts';
import { buildPages } from '../web/build.ts';
import { type Child, keepChild, workerFlags } from './child.ts';
import { exitCodes, InputError, inWords } from './exit-codes.ts';
import { migrateDatabase } from './migrate-database.ts';
import type { Say } from './say.ts';

export interface BringUp {
  config: Config;
  home: string;
  /** Everything that is started is put here at once, so that a stop in the middle leaves nothing behind. */
  resources: AsyncDisposableStack;
  say: Say;
  /** Ends the waiting; its reason is what is thrown. */
  signal: AbortSignal;
  failed: (why: Error) => void;
}

/**
 * Database first; then, side by side, the workers and the building of the pages, and the server once there are pages.
 * @returns where the server is, and the link that signs in the local account.
 * @throws the signal's reason when it is aborted, InputError when a part cannot start.
 */
export async function bringUp(up: BringUp): Promise<{ url: string; link: string }> {
  const { config, home, say, signal } = up;
  const pages = buildPages().catch((error: unknown) => {
    throw inWords(error);
  });
  pages.catch(() => undefined);
  const databaseUrl = await openDatabase(up);
  signal.throwIfAborted();
  const applied = await migrateDatabase(databaseUrl);
  say('the database is ready', { migrations: applied.length });
  const installation = await openInstallation(home);
  const evaluatorUrl = config.EVALUATOR_DATABASE_URL ?? (await ensureEvaluatorRole(databaseUrl, installation.sub('evaluator role')));
  signal.throwIfAborted();

  const library = config.LOAD_LIBRARY ? ',library' : '';
  const evaluate = child(up, 'evaluate', 'workers/main.ts', {
    ...modelKeys(config),
    DATABASE_URL: evaluatorUrl,
    WORKER_STAGES: 'evaluate',
  });
  const control = child(up, 'control', 'workers/main.ts', { DATABASE_URL: databaseUrl, WORKER_STAGES: `screen,verify,sweep${library}` });
  const { built } = await unlessAborted(pages, signal);
  say(built ? 'the pages were built' : 'the pages are current');
  const server = child(up, 'server', 'server/main.ts', { DATABASE_URL: databaseUrl });
  const { url, token } = await unlessAborted(server.ready, signal);
  if (url === undefined || token === undefined) throw new InputError('the server started without saying where', exitCodes.error);
  await unlessAborted(Promise.all([evaluate.ready, control.ready]), signal);
  say('server and workers are ready', { url, logs: join(home, 'logs') });
  return { url, link: `${url}/#token=${token}` };
}

/** The configured database, or an embedded PostgreSQL in the home folder. */
async function openDatabase({ config, home, resources, say }: BringUp): Promise<string> {
  if (config.DATABASE_URL !== undefined) return config.DATABASE_URL;
  say('starting the embedded PostgreSQL');
  const cluster = await startEmbedded({ folder: join(home, 'postgres'), log: (line) => say(line) }).catch((error: unknown) => {
    throw inWords(error);
  });
  resources.defer(() => cluster.stop());
  if (cluster.adopted) say('the database was still running and is used again');
  return cluster.url;
}

function child({ config, home, resources, failed }: BringUp, name: string, main: string, extra: NodeJS.ProcessEnv): Child {
  const { OPENAI_API_KEY: _openai, ANTHROPIC_API_KEY: _anthropic, ...shared } = process.env;
  const environment = { ...shared, COLLECTIVE_HOME: home, LOG_LEVEL: config.LOG_LEVEL, ...extra };
  return resources.use(
    keepChild({ name, main, environment, flags: main.startsWith('workers/') ? workerFlags : [], logFolder: join(home, 'logs'), failed }),
  );
}

/** Keys of model providers go to the process that calls models and to no other. */
function modelKeys(config: Config): NodeJS.ProcessEnv {
  return {
    ...(config.OPENAI_API_KEY === undefined ? {} : { OPENAI_API_KEY: config.OPENAI_API_KEY }),
    ...(config.ANTHROPIC_API_KEY === undefined ? {} : { ANTHROPIC_API_KEY: config.ANTHROPIC_API_KEY }),
  };
}

/** Stops waiting when `signal` is aborted; what was waited for goes on. */
async function unlessAborted<T>(waited: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const stop = Promise.withResolvers<never>();
  const abort = () => stop.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([waited, stop.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
