import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Embedded, startEmbedded } from './embedded.ts';
import { isAlive, readPostmaster } from './embedded-cluster.ts';

const root = process.getuid?.() === 0;
let folder: string;
let started: Embedded[];
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'collective-embedded-'));
  await chmod(folder, 0o755);
  started = [];
});
afterEach(async () => {
  for (const server of started) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(name: string, log: string[] = []): Promise<Embedded> {
  const server = await startEmbedded({ folder: path.join(folder, name), log: (line) => log.push(line) });
  started.push(server);
  return server;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

const postmasterOf = async (name: string) => (await readPostmaster(path.join(folder, name, 'data')))!;

describe('the embedded PostgreSQL', () => {
  it('starts from nothing: durable, UTF-8, on loopback only, with a password nobody else reads', async () => {
    const server = await start('a');
    expect(server.adopted).toBe(false);
    const settings = await query(
      server.url,
      `select current_setting('fsync') as fsync, current_setting('listen_addresses') as addresses,
         current_setting('unix_socket_directories') as sockets, current_setting('server_encoding') as encoding,
         current_setting('data_checksums') as checksums, current_setting('TimeZone') as zone`,
    );
    expect(settings).toEqual([{ fsync: 'on', addresses: '127.0.0.1', sockets: '', encoding: 'UTF8', checksums: 'on', zone: 'UTC' }]);
    expect((await stat(path.join(folder, 'a/password'))).mode & 0o777).toBe(0o600);
    const wrong = new URL(server.url);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'select 1')).rejects.toThrow('password authentication failed');
    const logged = await readFile(path.join(folder, 'a/server.log'), 'utf8');
    expect(logged).not.toContain(new URL(server.url).password);
    expect((await readdir(path.join(folder, 'a'))).sort()).toEqual(['data', 'password', 'port', 'server.log']);
  });

  it('keeps data and port over a stop and a start', async () => {
    const first = await start('a');
    await query(first.url, 'create table kept as select 42 as answer');
    const { pid } = await postmasterOf('a');
    await first.stop();
    await first.stop();
    expect(isAlive(pid)).toBe(false);
    const second = await start('a');
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('adopts a server whose parent is gone, fast', async () => {
    const first = await start('a');
    const { pid } = await postmasterOf('a');
    const before = performance.now();
    const second = await start('a');
    expect(performance.now() - before).toBeLessThan(1_000);
    expect(second).toMatchObject({ adopted: true, url: first.url });
    await second.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('runs in a session of its own, so that the Ctrl-C of the terminal passes it by', async () => {
    await start('a');
    const { pid } = await postmasterOf('a');
    const { stdout } = await promisify(execFile)('ps', ['-o', 'sid=', '-p', `${pid},${process.pid}`]);
    const sessions = stdout.trim().split('\n').map(Number);
    expect(sessions).toContain(pid);
    expect(new Set(sessions).size).toBe(2);
  });

  it('recovers after kill -9 of the server, losing nothing that was committed, on the same port', async () => {
    const first = await start('a');
    await query(first.url, 'create table kept (n int)');
    for (let i = 0; i < 20; i++) await query(first.url, `insert into kept values (${i})`);
    process.kill((await postmasterOf('a')).pid, 'SIGKILL');
    const second = await start('a');
    expect(second.adopted).toBe(false);
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select count(*)::int as n from kept')).toEqual([{ n: 20 }]);
  });

  it('runs two folders at once on two ports', async () => {
    const [a, b] = await Promise.all([start('a'), start('b')]);
    expect(new URL(a.url).port).not.toBe(new URL(b.url).port);
    await query(a.url, 'create table only_a (n int)');
    await expect(query(b.url, 'select * from only_a')).rejects.toThrow('does not exist');
  });

  it('takes three starts of one fresh folder at once: one server, the same address for all', async () => {
    const servers = await Promise.all([start('a'), start('a'), start('a')]);
    expect(new Set(servers.map((server) => server.url)).size).toBe(1);
    expect(servers.filter((server) => !server.adopted)).toHaveLength(1);
    expect(await query(servers[0]!.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect((await readdir(path.join(folder, 'a'))).filter((name) => name.startsWith('data'))).toEqual(['data']);
  });

  it('takes another port when its last one is in use by somebody else', async () => {
    const first = await start('a');
    await first.stop();
    const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
    await once(squatter, 'listening');
    try {
      const second = await start('a');
      expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
      expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    } finally {
      squatter.close();
    }
  });

  it('starts although the pid in an old lock file now belongs to another program', async () => {
    const first = await start('a');
    const lockFile = path.join(folder, 'a/data/postmaster.pid');
    const text = await readFile(lockFile, 'utf8');
    await first.stop();
    await writeFile(lockFile, text.replace(/^\d+/, String(process.pid)));
    expect((await start('a')).adopted).toBe(false);
  });

  it('removes what a start left that was killed during initdb', async () => {
    await mkdir(path.join(folder, 'a'));
    const dead = await promisify(execFile)('sh', ['-c', 'echo $$']);
    await mkdir(path.join(folder, 'a', `data.new-${dead.stdout.trim()}-x/base`), { recursive: true });
    await start('a');
    expect(await readdir(path.join(folder, 'a'))).toEqual(['data', 'password', 'port', 'server.log']);
  });

  it('says what to do about data of another major version', async () => {
    await mkdir(path.join(folder, 'a/data'), { recursive: true });
    await writeFile(path.join(folder, 'a/data/PG_VERSION'), '12\n');
    await expect(start('a')).rejects.toThrow(/made by PostgreSQL 12, this version brings 18.*pg_dump/s);
  });

  it('says the end of the log when the server does not start, and leaves nothing running', async () => {
    const first = await start('a');
    await first.stop();
    await writeFile(path.join(folder, 'a/data/postgresql.auto.conf'), "wal_level = 'nonsense'\n");
    await expect(start('a')).rejects.toThrow(/did not start: .*configuration file/);
    expect(await readPostmaster(path.join(folder, 'a/data'))).toBeNull();
  }, 60_000);
});

describe.runIf(root)('the embedded PostgreSQL of root below a home of mode 0700', () => {
  it('puts its files where its account can reach them, remembers where, and finds them again', async () => {
    await chmod(folder, 0o700);
    const log: string[] = [];
    const first = await start('a', log);
    const place = (await readFile(path.join(folder, 'a/database-is-elsewhere'), 'utf8')).trim();
    try {
      expect(log.join()).toContain(place);
      await query(first.url, 'create table kept as select 42 as answer');
      expect((await stat(path.join(place, 'data'))).uid).not.toBe(0);
      expect((await stat(path.join(place, 'password'))).mode & 0o777).toBe(0o600);
      await first.stop();
      const second = await start('a');
      expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
      await second.stop();
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  });
});

describe.runIf(root)('the embedded PostgreSQL of root', () => {
  it('runs under an account that is not root', async () => {
    await start('a');
    const { pid } = await postmasterOf('a');
    expect((await stat(`/proc/${pid}`)).uid).not.toBe(0);
  });
});
