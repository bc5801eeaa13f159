import type Docker from 'dockerode';
import { afterEach, expect, it, vi } from 'vitest';
import { fakeDoor, replyOf } from '../../sandboxes/conformance-door.ts';
import { programsFor } from '../../sandboxes/conformance-programs.ts';
import { conformanceLimits } from '../../sandboxes/conformance.ts';
import { type Engine, engineAt } from '../../sandboxes/docker/engine.ts';
import { labels } from '../../sandboxes/docker/hardening.ts';
import { reapAbandoned } from '../../sandboxes/docker/reap.ts';
import { testEngine } from '../setup/docker.ts';
import { describeWith } from '../setup/optional.ts';
import { runOne, sandboxOf, sandboxRig } from '../setup/sandbox-rig.ts';

/**
 * Clocks jump: a virtual machine wakes up, somebody sets the time. Only `Date` jumps here, as in the real thing: the
 * monotonic clock and timers go on.
 */
const engine = await testEngine();
const programs = programsFor('python');
const yearMs = 365 * 86_400_000;
const jump = (ms: number) => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
};
afterEach(() => {
  vi.useRealTimers();
});

/** The engine, as if it had no other containers than those of workers with this folder for sockets. */
function onlyIn(socketFolder: string): Engine {
  const found = engineAt(engine.dockerHost);
  if (!found.ok) throw new Error(found.problem);
  const docker: Docker = Object.create(found.docker);
  docker.listContainers = (async (options: Docker.ContainerListOptions) =>
    (await found.docker.listContainers(options)).filter((one) =>
      one.Labels[labels.place]?.startsWith(socketFolder),
    )) as Docker['listContainers'];
  return { ...found, docker };
}

describeWith('docker', engine.state, 'a clock that jumps', () => {
  it.each([
    ['forward', yearMs],
    ['back', -yearMs],
  ])('%s in the middle of a case moves no limit', async (_title, ms) => {
    await using rig = await sandboxRig(engine);
    const door = fakeDoor((request) => {
      jump(ms);
      return replyOf(request, 'jumped');
    });
    const source = `import time\ndef solve(task, target):\n    said = target.chat([{"role": "user", "content": "now"}])\n    time.sleep(0.3)\n    return said\n`;
    await using sandbox = sandboxOf(await rig.open(source, { door }));
    await using waiting = sandboxOf(await rig.open(programs.waitForever, { limits: { ...conformanceLimits, wallMs: 500 } }));
    const run = await runOne(sandbox);
    expect(run).toMatchObject({ kind: 'answer', answer: 'jumped' });
    expect(run.kind === 'answer' && run.wallMs).toBeGreaterThanOrEqual(300);
    expect(run.kind === 'answer' && run.wallMs).toBeLessThan(conformanceLimits.wallMs);
    const before = performance.now();
    expect(await runOne(waiting)).toMatchObject({ kind: 'limit', limit: 'wall' });
    expect(performance.now() - before).toBeLessThan(3_000);
  });

  it('forward does not make a worker clear what another one uses, nor what it uses itself', async () => {
    await using mine = await sandboxRig(engine);
    const { socketFolder, workerId } = mine.given;
    await using other = await sandboxRig(engine, { socketFolder });
    await using sandbox = sandboxOf(await mine.open(programs.echoInput));
    await using theirs = sandboxOf(await other.open(programs.echoInput));
    const own = (await mine.containers()).map((one) => one.Id);
    // This engine is shared with other tests, whose containers a reaper of the future must not see.
    const seen = onlyIn(socketFolder);
    const reap = {
      engine: seen,
      workerId,
      socketFolder,
      isMine: (id: string) => own.includes(id),
      firstSeen: new Map<string, number>(),
      patienceMs: 60_000,
      onProblem: () => {},
    };
    expect(await reapAbandoned({ ...reap, now: Date.now() + 10 * yearMs })).toEqual([]);
    expect(await runOne(sandbox, 'alive')).toMatchObject({ kind: 'answer', answer: 'alive' });
    expect(await runOne(theirs, 'alive')).toMatchObject({ kind: 'answer', answer: 'alive' });
  });

  it('back does not keep what a dead worker left', async () => {
    await using rig = await sandboxRig(engine);
    // Made by hand, and running: stands for the container of a worker in the same folder that is gone.
    const left = await engine.docker.createContainer({
      Image: engine.images.python ?? '',
      Entrypoint: ['/usr/bin/python3', '-c', 'import time; time.sleep(600)'],
      NetworkDisabled: true,
      Labels: {
        [labels.sandbox]: 'left',
        [labels.worker]: 'dead',
        [labels.place]: `${rig.given.socketFolder}/0badcafe`,
        [labels.deadline]: String(Date.now() + yearMs),
      },
    });
    await left.start();
    jump(-10 * yearMs);
    expect(await rig.driver.probe()).toMatchObject({ available: true });
    const state = () =>
      left.inspect().then(
        () => 'there',
        (error: { statusCode?: number }) => error.statusCode,
      );
    await expect.poll(state, { timeout: 10_000 }).toBe(404);
  });
});
