import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import type { Optional } from './optional.ts';
import { until } from './until.ts';

export interface TestRedis extends AsyncDisposable {
  url: string;
  /** Kills the server with SIGKILL and starts it again on the same port, keeping what was on disk; null when it is not ours. */
  restart: (() => Promise<void>) | null;
}

/** `REDIS_URL` when it is set and answers, else a private `redis-server` on a free port, if the program is there. */
export async function testRedis(folder: string): Promise<{ state: Optional; redis: TestRedis | null }> {
  const given = process.env.REDIS_URL;
  if (given) {
    if (await answers(given))
      return { state: { available: true }, redis: { url: given, restart: null, [Symbol.asyncDispose]: async () => {} } };
    return { state: { available: false, reason: 'no Redis answers at REDIS_URL' }, redis: null };
  }
  if (!(await isInstalled()))
    return { state: { available: false, reason: 'REDIS_URL is not set and there is no redis-server' }, redis: null };
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let server = await launch(port, folder, url);
  const redis: TestRedis = {
    url,
    restart: async () => {
      await end(server, 'KILL');
      server = await launch(port, folder, url);
    },
    [Symbol.asyncDispose]: () => end(server, 'TERM'),
  };
  return { state: { available: true }, redis };
}

/** The shell ends the server when its input closes, so that it does not outlive a killed test process. */
const keeper = 'redis-server "$@" > /dev/null & read -r signal || signal=TERM; kill -"$signal" $!; wait $!';

async function launch(port: number, folder: string, url: string): Promise<ChildProcess> {
  const options = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'yes',
    '--appendfsync',
    'always',
  ];
  const child = spawn('sh', ['-c', keeper, 'sh', ...options], { stdio: ['pipe', 'ignore', 'ignore'] });
  await until('redis-server answers', () => answers(url));
  return child;
}

async function end(server: ChildProcess, signal: 'KILL' | 'TERM'): Promise<void> {
  if (server.exitCode !== null) return;
  const ended = once(server, 'exit');
  server.stdin?.end(`${signal}\n`);
  await ended;
}

async function isInstalled(): Promise<boolean> {
  const probe = spawn('redis-server', ['--version'], { stdio: 'ignore' });
  return Promise.race([once(probe, 'exit').then(() => true), once(probe, 'error').then(() => false)]).catch(() => false);
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, connectTimeout: 1_000, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
