import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../contracts/config.ts';
import { startEmbedded } from '../domain/db/embedded.ts';
import { ensureEvaluatorRole } from '../domain/db/evaluator-role.ts';
import { migrate } from '../domain/db/migrate.ts';
import { openInstallation } from '../domain/installation.ts';
import { buildPages } from '../web/build.ts';
import { exitCodes, InputError } from './exit-codes.ts';
import { type Child, startChild } from './child.ts';
import { followFirstStart } from './first-start.ts';
import { lockFolder } from './folder-lock.ts';

/** `collective start`: database, server and workers in one process tree. */
export function describeStart(command: Command, config: Config): void {
  command
    .option('--json', 'print one JSON line per step instead of text')
    .addHelpText('after', '\nStops cleanly on Ctrl-C. Files live in COLLECTIVE_HOME (default .collective).')
    .action(async (options: { json?: boolean }) => {
      await start(config, options.json === true);
    });
}

type Say = (step: string, detail?: Record<string, string | number>) => void;

/**
 * Theory of operation. This process owns the tree: it starts the database, then the server, a control worker and an
 * evaluate worker as children, and stops them in the reverse order. Children sit in process groups of their own, so
 * Ctrl-C reaches only this process and nothing is torn down before what depends on it. If this process is killed with
 * -9, the children see their channel close and end; the database goes on and is adopted by the next start.
 */
async function start(config: Config, json: boolean): Promise<void> {
  const home = resolve(config.COLLECTIVE_HOME);
  // Others may pass through but not list: the embedded database runs under another account when this one is root.
  await mkdir(home, { recursive: true, mode: 0o711 });
  const say = sayer(json);
  const stopping = Promise.withResolvers<string>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.resolve(signal));
  await using resources = new AsyncDisposableStack();
  resources.use(await lockFolder(home));
  const databaseUrl = await openDatabaseFor(config, home, resources, say);
  const { applied } = await migrate(databaseUrl);
  say('database is ready', { migrations: applied.length });
  const installation = await openInstallation(home);
  const evaluatorUrl = config.EVALUATOR_DATABASE_URL ?? (await ensureEvaluatorRole(databaseUrl, installation.sub('evaluator role')));
  const pages = await buildPages();
  say(pages.built ? 'pages were built' : 'pages are current');

  const environment = { ...process.env, COLLECTIVE_HOME: home, LOG_LEVEL: config.LOG_LEVEL };
  const child = async (name: string, main: string, extra: Record<string, string>): Promise<Child> => {
    const started = await startChild({
      name,
      main,
      environment: { ...environment, ...extra },
      logFolder: join(home, 'logs'),
      failed: stopping.resolve,
    });
    resources.use(started);
    return started;
  };
  const server = await child('server', 'server/main.ts', { DATABASE_URL: databaseUrl });
  await child('evaluate', 'workers/main.ts', { DATABASE_URL: evaluatorUrl, WORKER_STAGES: 'evaluate' });
  const library = config.LOAD_LIBRARY ? ',library' : '';
  await child('control', 'workers/main.ts', { DATABASE_URL: databaseUrl, WORKER_STAGES: `screen,verify,sweep${library}` });
  const { url, token } = server.ready;
  if (url === undefined || token === undefined) throw new InputError('the server started without saying where', exitCodes.error);
  say('server is ready', { url, logs: join(home, 'logs') });
  const watching = new AbortController();
  resources.defer(() => watching.abort());
  void followFirstStart(url, watching.signal, (done, of) => say('sample submissions judged', { done, of })).then((finished) => {
    if (finished) say('open this link; it signs you in', { link: `${url}/#token=${token}` });
  });
  const why = await stopping.promise;
  say('stopping', { why });
}

/** The configured database, or an embedded PostgreSQL in the home folder. */
async function openDatabaseFor(config: Config, home: string, resources: AsyncDisposableStack, say: Say): Promise<string> {
  if (config.DATABASE_URL !== undefined) return config.DATABASE_URL;
  say('starting the embedded PostgreSQL');
  const cluster = await startEmbedded({ folder: join(home, 'postgres'), log: (line) => say(line) });
  resources.defer(() => cluster.stop());
  if (cluster.adopted) say('the database was still running and is used again');
  return cluster.url;
}

function sayer(json: boolean): Say {
  return (step, detail = {}) => {
    if (json) process.stdout.write(`${JSON.stringify({ step, ...detail })}\n`);
    else
      process.stdout.write(
        `${step}${Object.entries(detail)
          .map(([key, value]) => `\n    ${key}: ${value}`)
          .join('')}\n`,
      );
  };
}
