import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SystemView } from '../../contracts/api.ts';
import { openStream } from '../setup/event-source.ts';
import { memoryBlobs, publish, submit } from '../setup/records.ts';
import { until } from '../setup/until.ts';
import { type TestDatabase, testDatabase } from '../setup/with-database.ts';

/** `server/main.ts` as a process, started as `collective start` starts it. */

const main = join(import.meta.dirname, '..', '..', 'server', 'main.ts');
let database: TestDatabase;
let home: string;
const children: ChildProcess[] = [];
beforeAll(async () => {
  database = await testDatabase();
  home = await mkdtemp(join(tmpdir(), 'collective-server-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
  await database[Symbol.asyncDispose]();
});

interface Started {
  child: ChildProcess;
  output: () => string;
  ready: Promise<{ kind: string; url: string; token: string }>;
  exit: Promise<number | null>;
}

function start(environment: Record<string, string>): Started {
  const child = fork(main, [], {
    env: { PATH: process.env.PATH, HOME: home, COLLECTIVE_HOME: home, DATABASE_URL: database.url, ...environment },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  children.push(child);
  let output = '';
  const streams = [child.stdout!, child.stderr!];
  for (const stream of streams) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  // Not 'close': it does not come for a child whose channel was closed from here.
  const said = Promise.all(streams.map((stream) => once(stream, 'end')));
  const exit = once(child, 'exit').then(async ([code]) => {
    await said;
    return code as number | null;
  });
  const ready = Promise.race([
    once(child, 'message').then(([message]) => message as { kind: string; url: string; token: string }),
    exit.then((code) => Promise.reject(new Error(`ended with ${code}: ${output}`))),
  ]);
  // A test that expects the process to end does not look at this.
  ready.catch(() => undefined);
  return { child, output: () => output, ready, exit };
}

/** Somebody else on a port of loopback. */
async function occupy(port: number): Promise<{ port: number } & AsyncDisposable> {
  const server: Server = createServer((socket) => socket.destroy());
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(true) : reject(error)));
    server.listen(port, '127.0.0.1', () => resolve(false));
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    [Symbol.asyncDispose]: async () => {
      if (!taken) await new Promise((resolve) => server.close(resolve));
    },
  };
}

const mode = async (name: string) => ((await stat(join(home, name))).mode & 0o777).toString(8);

describe('the server as a process', () => {
  it('tells its parent where it is, answers there, and leaves address and token for its own user alone', async () => {
    // Left by an older version, readable by all.
    await writeFile(join(home, 'token'), 'old');
    await chmod(join(home, 'token'), 0o644);
    const { ready } = start({ PORT: '0' });
    const { kind, url, token } = await ready;
    expect(kind).toBe('ready');
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const reply = await fetch(`${url}/api/system`, { headers: { authorization: `Bearer ${token}` } });
    expect(SystemView.parse(await reply.json()).account).toBe('local');
    expect((await readFile(join(home, 'url'), 'utf8')).trim()).toBe(url);
    expect((await readFile(join(home, 'token'), 'utf8')).trim()).toBe(token);
    expect([await mode('url'), await mode('token'), await mode('installation.key')]).toEqual(['600', '600', '600']);
  });

  it('takes another port when the default one is taken', async () => {
    await using other = await occupy(4870);
    const { url } = await start({}).ready;
    expect(new URL(url).port).not.toBe(String(other.port));
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('78: the wanted port is taken', async () => {
    await using other = await occupy(0);
    const { exit, output } = start({ PORT: String(other.port) });
    expect(await exit).toBe(78);
    expect(output()).toContain(`configuration: PORT: ${other.port} is in use`);
  });

  it('78: a bad variable is named, its value is not', async () => {
    const { exit, output } = start({ DATABASE_URL: 'mysql://judge:hunter2@db/x', PORT: 'hunter3', LOG_LEVEL: 'hunter4' });
    expect(await exit).toBe(78);
    for (const name of ['DATABASE_URL', 'PORT', 'LOG_LEVEL']) expect(output()).toContain(`configuration: ${name}: `);
    expect(output()).not.toMatch(/hunter|judge/);
  });

  it('78: no database is named', async () => {
    const { exit, output } = start({ DATABASE_URL: '' });
    expect(await exit).toBe(78);
    expect(output()).toContain('configuration: DATABASE_URL: ');
  });

  it('1: the database does not answer; said without its password', async () => {
    const { exit, output } = start({ DATABASE_URL: 'postgresql://judge:hunter2@127.0.0.1:1/none', PORT: '0' });
    expect(await exit).toBe(1);
    expect(output()).toContain('the server cannot start');
    expect(output()).toContain('ECONNREFUSED');
    expect(output()).not.toContain('hunter2');
  });

  it('0: SIGTERM ends it within 3 seconds with an event stream open, and answers what was asked before', async () => {
    const blobs = memoryBlobs();
    await publish(database.db, blobs);
    const { evaluationId } = await submit(database.db, blobs);
    const { child, ready, exit, output } = start({ PORT: '0' });
    const { url, token } = await ready;
    await using stream = await openStream(`${url}/api/evaluations/${evaluationId}/events`);
    await stream.have(1);
    const slow = request(`${url}/api/challenges/guess-the-word/submissions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
    const answered = once(slow, 'response');
    slow.write('{"submission":');
    // It has the head of the request once it answers a later one.
    await fetch(`${url}/healthz`);
    const begun = performance.now();
    child.kill('SIGTERM');
    await until('stream ended', () => stream.ended());
    slow.end('{"kind":"answers","answers":{}}}');
    const [response] = (await answered) as [IncomingMessage];
    expect(response.statusCode).toBe(201);
    response.resume();
    expect(await exit, output()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(3_000);
  });

  it('0: ends when its parent is gone', async () => {
    const { child, ready, exit } = start({ PORT: '0' });
    await ready;
    child.disconnect();
    expect(await exit).toBe(0);
  });

  it('writes nothing secret: not the token, not the key, not the password of the database', async () => {
    const { child, ready, exit, output } = start({ PORT: '0', LOG_LEVEL: 'trace' });
    const { url, token } = await ready;
    await fetch(`${url}/api/system`, { headers: { authorization: `Bearer ${token}`, cookie: `x=${token}` } });
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    const key = (await readFile(join(home, 'installation.key'), 'utf8')).trim();
    for (const secret of [token, key, new URL(database.url).password]) if (secret !== '') expect(output()).not.toContain(secret);
  });
});
