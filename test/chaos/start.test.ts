import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pageOf, SubmissionView, SystemView } from '../../contracts/api.ts';
import { StoredEvent } from '../../contracts/events.ts';
import { paths } from '../../contracts/paths.ts';
import { projectRoot, runCli } from '../setup/cli.ts';
import { processesOf } from '../setup/processes.ts';
import { everythingRuns, interrupt, newHome, removeHome, type Server, serverOf, startIn, step, stepsOf } from '../setup/start.ts';
import { until } from '../setup/until.ts';

/*
 * `collective start` as people use it: one process tree with its own database and folder, stopped with Ctrl-C or killed.
 * What is left of a tree is read from /proc.
 */

const Events = z.object({ events: z.array(StoredEvent) });
const homes: string[] = [];

async function home(): Promise<string> {
  const made = await newHome();
  homes.push(made);
  return made;
}

afterEach(async () => {
  for (const made of homes.splice(0)) await removeHome(made);
});

async function get(server: Server, path: string): Promise<unknown> {
  const reply = await fetch(new URL(path, server.url), { headers: { authorization: `Bearer ${server.token}` } });
  expect(reply.status).toBe(200);
  return reply.json();
}

const pidOf = (folder: string, main: string): number | undefined => processesOf(folder).find(({ command }) => command.includes(main))?.pid;

describe.runIf(process.platform === 'linux')('collective start', () => {
  it('judges the samples, keeps one tree per folder, restarts what dies, stops cleanly and goes on with its data', {
    timeout: 240_000,
  }, async () => {
    const folder = await home();
    const first = startIn(folder);
    const server = await serverOf(first);
    await step(first, everythingRuns);
    const system = SystemView.parse(await get(server, paths.system));
    expect(system.firstStart.of).toBeGreaterThanOrEqual(9);
    expect(system.firstStart.done).toBe(system.firstStart.of);

    const second = await runCli(['start'], { COLLECTIVE_HOME: folder, PORT: '0' });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`already in use by process ${first.process.pid}`);
    expect(second.stderr).not.toContain('    at ');

    const killed = pidOf(folder, 'server/main.ts')!;
    process.kill(killed, 'SIGKILL');
    const answers = () =>
      fetch(new URL('/healthz', server.url)).then(
        (reply) => reply.ok,
        () => false,
      );
    await until('the server is back at its address', async () => pidOf(folder, 'server/main.ts') !== killed && (await answers()), 60_000);

    expect(await interrupt(first)).toBe(0);
    expect(processesOf(folder)).toEqual([]);

    const again = startIn(folder);
    await step(again, everythingRuns);
    const judged = stepsOf(again).filter((one) => one.step === 'sample submissions judged');
    expect(judged).toEqual([{ step: 'sample submissions judged', done: system.firstStart.of, of: system.firstStart.of }]);
    expect((await serverOf(again)).token).toBe(server.token);
    expect(await interrupt(again)).toBe(0);
    expect(processesOf(folder)).toEqual([]);
  });

  it('ends 200 submissions once each when it is killed with -9 in their middle', { timeout: 240_000 }, async () => {
    const folder = await home();
    const first = startIn(folder);
    const server = await serverOf(first);
    const text = await readFile(join(projectRoot, 'rubrics/library/trigger-recovery/samples/official-sample.json'), 'utf8');
    const body = JSON.stringify({ submission: { kind: 'answers', answers: JSON.parse(text) } });
    const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
    const sent = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const reply = await fetch(new URL(paths.submissionsOf('trigger-recovery'), server.url), { method: 'POST', headers, body });
        return SubmissionView.parse(await reply.json()).id;
      }),
    );
    const statuses = async () =>
      pageOf(SubmissionView)
        .parse(await get(server, `${paths.submissions}?limit=100`))
        .items.map((one) => one.evaluation.status);
    await until('some are judged', async () => (await statuses()).includes('done'), 60_000, 250);
    expect((await statuses()).filter((status) => status !== 'done').length).toBeGreaterThan(10);
    first.process.kill('SIGKILL');
    await first.ended;
    await until(
      'children without a parent end by themselves',
      () => processesOf(folder).every(({ command }) => command.includes('postgres')),
      30_000,
    );
    expect(processesOf(folder).length).toBeGreaterThan(0);

    const second = startIn(folder);
    const recovered = await serverOf(second);
    await step(second, 'the database was still running and is used again');
    const unfinished = new Set(sent);
    await until(
      'everything that was sent is judged',
      async () => {
        for (const id of unfinished) {
          const { evaluation } = SubmissionView.parse(await get(recovered, paths.submission(id)));
          if (evaluation.status !== 'done') return false;
          expect(evaluation).toMatchObject({ outcome: 'pass', score: 1 });
          unfinished.delete(id);
        }
        return true;
      },
      150_000,
      500,
    );
    for (const id of sent) {
      const { evaluation } = SubmissionView.parse(await get(recovered, paths.submission(id)));
      const events = Events.parse(await get(recovered, `${paths.events(evaluation.id)}?after=0`)).events;
      expect(events.filter(({ event }) => event.kind === 'verdict')).toHaveLength(1);
      expect(new Set(events.map(({ seq }) => seq)).size).toBe(events.length);
    }
    await step(second, everythingRuns);
    expect(await interrupt(second)).toBe(0);
    expect(processesOf(folder)).toEqual([]);
  });

  it('stops on Ctrl-C before it is up, and leaves nothing behind', { timeout: 90_000 }, async () => {
    const folder = await home();
    const cli = startIn(folder);
    await step(cli, 'starting the embedded PostgreSQL');
    expect(await interrupt(cli)).toBe(0);
    expect(processesOf(folder)).toEqual([]);
  });

  it('serves two folders side by side', { timeout: 180_000 }, async () => {
    const starts = await Promise.all([home(), home()]).then((folders) =>
      folders.map((folder) => startIn(folder, { LOAD_LIBRARY: 'false' })),
    );
    const servers = await Promise.all(starts.map(serverOf));
    expect(servers[0]?.url).not.toBe(servers[1]?.url);
    expect(servers[0]?.token).not.toBe(servers[1]?.token);
    for (const server of servers) expect(SystemView.parse(await get(server, paths.system)).firstStart.of).toBe(0);
    expect(await Promise.all(starts.map(interrupt))).toEqual([0, 0]);
  });
});

describe('a start that cannot be', () => {
  it('names a bad variable and the reason, and not its value', async () => {
    const folder = await home();
    const result = await runCli(['start'], { COLLECTIVE_HOME: folder, PORT: 'http', DATABASE_URL: 'mysql://user:hunter2@host/db' });
    expect(result.code).toBe(78);
    expect(result.stderr).toMatch(/^configuration: DATABASE_URL: /m);
    expect(result.stderr).toMatch(/^configuration: PORT: /m);
    expect(result.stderr).not.toContain('hunter2');
  });

  it('names a port that is in use', { timeout: 90_000 }, async () => {
    const folder = await home();
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const port = String((taken.address() as AddressInfo).port);
    const result = await runCli(['start'], { COLLECTIVE_HOME: folder, PORT: port, LOAD_LIBRARY: 'false' });
    taken.close();
    expect(result.code).toBe(78);
    expect(result.stderr).toContain(`configuration: PORT: ${port} is in use`);
  });

  it('says that the database does not answer, without its password', async () => {
    const folder = await home();
    const result = await runCli(['start'], { COLLECTIVE_HOME: folder, DATABASE_URL: 'postgres://user:hunter2@127.0.0.1:1/db' });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('DATABASE_URL');
    expect(result.stderr).not.toContain('hunter2');
    expect(result.stderr).not.toContain('    at ');
  });
});
