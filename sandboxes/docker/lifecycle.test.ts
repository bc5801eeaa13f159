import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { testEngine } from '../../test/setup/docker.ts';
import { describeWith } from '../../test/setup/optional.ts';
import { benchOf, conformanceLimits } from '../conformance.ts';
import { dockerDriver } from './driver.ts';
import { engineAt } from './engine.ts';
import { labels } from './hardening.ts';
import { meterOf, noCounters } from './meter.ts';
import { reapAbandoned } from './reap.ts';

const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-sockets-'));
const never = () => new AbortController().signal;
const task = (input: string | null, id = 'case') => ({ id, input, target: null });

describeWith('docker', engine.state, 'the life of a container', () => {
  const { docker, dockerHost, images } = engine;
  const workerId = `life-${process.pid}`;
  const given = { dockerHost, socketFolder, images, workerId };
  const containersOf = (worker: string) => docker.listContainers({ all: true, filters: { label: [`${labels.worker}=${worker}`] } });
  const found = engineAt(dockerHost);
  if (!found.ok) throw new Error(found.problem);
  /** As another worker with the same folder for sockets would. */
  const firstSeen = new Map<string, number>();
  const reap = () =>
    reapAbandoned({
      ...{ engine: found, workerId: 'another', socketFolder, isMine: () => false },
      firstSeen,
      patienceMs: 60_000,
      now: Date.now(),
      onProblem: () => {},
    });
  const bench = benchOf(dockerDriver(given), 'python', { leftovers: async () => [] });
  const node = benchOf(dockerDriver(given), 'node', { leftovers: async () => [] });

  it.each(['python', 'node'])(
    'of profile %s ends with its worker, even when that is killed, and its remains are cleared away',
    async (profile) => {
      const killed = `killed-${profile}-${process.pid}`;
      const script = fileURLToPath(new URL('../../test/fixtures/abandoned-worker.ts', import.meta.url));
      const worker = spawn(process.execPath, [script, JSON.stringify({ ...given, workerId: killed }), profile], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(worker.stdout, 'data');
      expect(await containersOf(killed)).toMatchObject([{ State: 'running' }]);
      worker.kill('SIGKILL');
      const states = async () => (await containersOf(killed)).map((one) => one.State);
      await expect.poll(states, { timeout: 5_000 }).toEqual(['exited']);
      await reap();
      expect(await states()).toEqual([]);
    },
  );

  it('removes a container past its deadline, and only that', async () => {
    await using sandbox = await bench.open(bench.programs.echoInput);
    const ids = (await containersOf(workerId)).map((one) => one.Id);
    expect(ids).toHaveLength(1);
    const day = 86_400_000;
    expect(await reap()).not.toContain(ids[0]);
    // One made by hand, long past its deadline, stands for what a worker of yesterday left running.
    const old = await docker.createContainer({
      Image: images.python ?? '',
      Entrypoint: ['/usr/bin/python3', '-c', 'import time; time.sleep(600)'],
      NetworkDisabled: true,
      Labels: { [labels.sandbox]: 'old', [labels.worker]: 'yesterday', [labels.deadline]: String(Date.now() - day) },
    });
    await old.start();
    // Nobody can be asked about it: whatever its deadline says, it is looked at for a while first.
    expect(await reap()).not.toContain(old.id);
    firstSeen.set(old.id, Number.NEGATIVE_INFINITY);
    expect(await reap()).toContain(old.id);
    expect(await sandbox.run(task('still here'), never())).toMatchObject({ kind: 'answer', answer: 'still here' });
  });

  it('serves many cases from one container, and replaces it after a limit', async () => {
    await using sandbox = await bench.open(bench.programs.loopWhenAsked, { limits: { ...conformanceLimits, wallMs: 20_000 } });
    const current = async () => (await containersOf(workerId)).map((one) => one.Id);
    const first = await current();
    await sandbox.run(task('a'), never());
    await sandbox.run(task('b'), never());
    expect(await current()).toEqual(first);
    expect(await sandbox.run(task('loop'), never())).toMatchObject({ kind: 'limit', limit: 'cpu' });
    expect(await sandbox.run(task('c'), never())).toMatchObject({ kind: 'answer' });
    expect(await current()).not.toEqual(first);
  });

  it('asks the engine for nothing that ever let a container reach its host', async () => {
    const modem = Object.getPrototypeOf(docker.modem) as { dial(call: { method: string; path: string }, done: unknown): void };
    const dialled = vi.spyOn(modem, 'dial');
    await bench.once(bench.programs.echoInput, 'x');
    await bench.once(bench.programs.raise);
    await bench.once(bench.programs.waitForever, null, { limits: { ...conformanceLimits, wallMs: 300 } });
    await node.once(node.programs.eatMemoryWhenAsked, 'eat', { limits: { ...conformanceLimits, wallMs: 15_000, cpuMs: 15_000 } });
    const calls = dialled.mock.calls.map(([{ method, path }]) => `${method} ${path.replace(/\?.*/, '').replace(/[0-9a-f]{64}/, 'ID')}`);
    dialled.mockRestore();
    // Attaching goes past dockerode (attach.ts); test/attacks looks at every call on the engine's own socket.
    const needed = ['POST /containers/create', 'POST /containers/ID/start', 'DELETE /containers/ID'];
    const seldom = ['GET /containers/json', 'GET /containers/ID/json'];
    expect([...new Set(calls)].filter((call) => !seldom.includes(call)).sort()).toEqual(needed.sort());
  });

  it('is metered by the engine where its control groups are out of reach', async () => {
    await using sandbox = await bench.open(bench.programs.echoInput);
    const [container] = await containersOf(workerId);
    using meter = meterOf(docker.getContainer(container?.Id ?? ''), 5_000, 25, '/nonexistent');
    const before = await meter.read();
    await sandbox.run(task('x'), never());
    const after = await meter.read();
    expect(before).toMatchObject({ cpuMs: expect.any(Number), oomKills: null, refusedTasks: null });
    expect(after.cpuMs).toBeGreaterThan(before.cpuMs ?? Number.POSITIVE_INFINITY);
    using gone = meterOf(docker.getContainer('0'.repeat(64)), 5_000, 25, '/nonexistent');
    expect(await gone.read()).toEqual(noCounters);
  });

  it('is removed also when it dies of its own in that moment, again and again', async () => {
    const bomb = 'import os\ndef solve(task, target):\n    while True:\n        os.fork()\n';
    for (let i = 0; i < 5; i++) {
      const run = await bench.once(bomb);
      expect(run.kind === 'limit' && run.limit).toMatch(/^(memory|processes)$/);
    }
    await expect.poll(() => containersOf(workerId)).toEqual([]);
  });

  it('says why when the engine refuses', async () => {
    const driver = dockerDriver({ ...given, images: { python: `sha256:${'0'.repeat(64)}` } });
    expect(await driver.probe()).toMatchObject({ available: false, reason: expect.stringContaining('no sandbox image') });
    const refused = benchOf(driver, 'python', { leftovers: async () => [] });
    await expect(refused.open(bench.programs.echoInput)).rejects.toThrow(/No such image/i);
  });

  it('refuses a socket folder whose path no socket can have', async () => {
    const driver = dockerDriver({ ...given, socketFolder: join(socketFolder, 'x'.repeat(100)) });
    const deep = benchOf(driver, 'python', { leftovers: async () => [] });
    await expect(deep.open(bench.programs.echoInput)).rejects.toThrow(/SANDBOX_SOCKETS/);
  });
});
