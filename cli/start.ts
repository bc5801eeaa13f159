import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../contracts/config.ts';
import { bringUp } from './bring-up.ts';
import { followFirstStart } from './first-start.ts';
import { lockFolder } from './folder-lock.ts';
import { type Say, sayer } from './say.ts';

/** `collective start`: database, server and workers in one process tree. */
export function describeStart(command: Command, config: Config): void {
  command
    .option('--json', 'print one JSON line per step instead of text')
    .addHelpText('after', '\nStops cleanly on Ctrl-C. Files live in COLLECTIVE_HOME (default .collective).')
    .action(async (options: { json?: boolean }) => {
      await start(config, options.json === true);
    });
}

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
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort(signal));
  await using resources = new AsyncDisposableStack();
  resources.use(await lockFolder(home));
  try {
    const server = await bringUp({ config, home, resources, say, signal: stopping.signal, failed: (why) => stopping.abort(why) });
    say('open this link, it signs you in', { link: server.link });
    await reportSamples(server.url, stopping.signal, say);
    await aborted(stopping.signal);
  } catch (error) {
    if (error !== stopping.signal.reason) throw error;
  }
  if (stopping.signal.reason instanceof Error) {
    say('stopping');
    throw stopping.signal.reason;
  }
  say('stopping', { signal: String(stopping.signal.reason) });
}

async function reportSamples(url: string, signal: AbortSignal, say: Say): Promise<void> {
  const all = await followFirstStart(url, signal, (done, of) => say('sample submissions judged', { done, of }));
  if (all) say('everything runs; Ctrl-C stops it');
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve: end } = Promise.withResolvers<void>();
  if (signal.aborted) end();
  signal.addEventListener('abort', () => end(), { once: true });
  return promise;
}
