import { expect, it } from 'vitest';
import { testEngine } from '../../test/setup/docker.ts';
import type { EngineCall, EngineFault } from '../../test/setup/engine-proxy.ts';
import { describeWith } from '../../test/setup/optional.ts';
import { bounded, engineTimeoutMs, runOne, sandboxOf, sandboxRig } from '../../test/setup/sandbox-rig.ts';
import { fakeDoor, silent } from '../conformance-door.ts';
import { programsFor } from '../conformance-programs.ts';
import { conformanceLimits } from '../conformance.ts';
import type { DockerDriverOptions } from './options.ts';

/**
 * What the driver does when the engine fails it. Always: an answer in bounded time, a message that names the engine and
 * not the participant, nothing left behind, and the next evaluation works as soon as the engine does.
 */
const engine = await testEngine();
const programs = programsFor('python');
const anything = () => true;
const calls = {
  create: ({ path }: EngineCall) => path === '/containers/create',
  attach: ({ path }: EngineCall) => path.endsWith('/attach'),
  start: ({ path }: EngineCall) => path.endsWith('/start'),
  inspect: ({ method, path }: EngineCall) => method === 'GET' && /^\/containers\/[0-9a-f]{64}\/json$/.test(path),
  remove: ({ method }: EngineCall) => method === 'DELETE',
  list: ({ path }: EngineCall) => path === '/containers/json',
};
const hang: EngineFault = { kind: 'hang' };
const rigged = (more?: Partial<DockerDriverOptions>) => sandboxRig(engine, more);
type Rig = Awaited<ReturnType<typeof rigged>>;
/** The engine is in order again: the same driver judges as if nothing had been. */
async function worksAgain(rig: Rig): Promise<void> {
  await rig.proxy.heal();
  await using sandbox = sandboxOf(await rig.open(programs.echoInput));
  expect(await runOne(sandbox, 'again')).toMatchObject({ kind: 'answer', answer: 'again' });
}
const nothingLeft = (rig: Rig, timeout = 5_000) => expect.poll(rig.leftovers, { timeout }).toEqual([]);

const dispose = (one: AsyncDisposable) => bounded('dispose', Promise.resolve(one[Symbol.asyncDispose]()));

/** A case that waits for a door which never answers; resolves when it does. */
async function waitingCase(rig: Rig) {
  const asked = Promise.withResolvers<void>();
  const door = fakeDoor((request, signal) => {
    asked.resolve();
    return silent(request, signal);
  });
  const sandbox = sandboxOf(await rig.open(programs.chatOnce, { door, limits: { ...conformanceLimits, wallMs: 60_000 } }));
  const run = runOne(sandbox, 'hello');
  await bounded('ask the door', asked.promise);
  return { sandbox, run };
}

describeWith('docker', engine.state, 'an engine that is not there', () => {
  it('is named, with what to do, by probe and opening; once it is there everything works', async () => {
    await using rig = await rigged();
    await rig.proxy.die();
    expect(await bounded('probe', rig.driver.probe())).toMatchObject({
      available: false,
      reason: expect.stringContaining(`no Docker engine answers at ${rig.proxy.host}`),
      install: expect.stringContaining('DOCKER_HOST'),
    });
    const opened = await rig.open(programs.echoInput);
    expect(opened).toMatchObject({ ok: false, message: expect.stringMatching(/the engine .*(ENOENT|ECONNREFUSED)/) });
    expect(opened).not.toHaveProperty('fault', 'participant');
    await worksAgain(rig);
    await nothingLeft(rig);
  });

  it('is given up when it accepts and never answers', async () => {
    await using rig = await rigged();
    rig.proxy.fault(anything, hang);
    expect(await bounded('probe', rig.driver.probe())).toMatchObject({
      available: false,
      reason: expect.stringContaining(`did not answer within ${engineTimeoutMs} ms`),
    });
    expect(await rig.open(programs.echoInput)).toMatchObject({
      ok: false,
      message: expect.stringContaining(`the engine did not create a container within ${engineTimeoutMs} ms`),
    });
  });
});

describeWith('docker', engine.state, 'an engine that fails at one call', () => {
  it.each([
    ['create', 'create a container'],
    ['attach', 'attach'],
    ['start', 'start the container'],
  ] as const)('hanging at %s: the opening ends, says so, and leaves nothing', async (name, what) => {
    await using rig = await rigged();
    rig.proxy.fault(calls[name], hang);
    const opened = await rig.open(programs.echoInput);
    expect(opened).toMatchObject({
      ok: false,
      message: expect.stringContaining(`the engine did not ${what} within ${engineTimeoutMs} ms`),
    });
    expect(opened).not.toHaveProperty('fault', 'participant');
    await nothingLeft(rig);
    if (name !== 'create') await worksAgain(rig);
  });

  it.each(['create', 'attach', 'start'] as const)('answering 500 at %s: what it said is passed on', async (name) => {
    await using rig = await rigged();
    rig.proxy.fault(calls[name], { kind: 'status', status: 500, message: 'no space left on the graph driver' });
    expect(await rig.open(programs.echoInput)).toMatchObject({
      ok: false,
      message: expect.stringContaining('no space left on the graph driver'),
    });
    await nothingLeft(rig);
    await worksAgain(rig);
    await nothingLeft(rig);
  });

  it('doing what it was asked and never saying so: the container nobody knows of is found and removed', { timeout: 60_000 }, async () => {
    await using rig = await rigged();
    // From its first look on a worker clears also what it lost itself.
    expect(await rig.driver.probe()).toMatchObject({ available: true });
    rig.proxy.fault(calls.create, { kind: 'lose' });
    expect(await rig.open(programs.echoInput)).toMatchObject({ ok: false, message: expect.stringContaining('did not create a container') });
    expect(await rig.containers()).toHaveLength(1);
    await nothingLeft(rig, 30_000);
    await worksAgain(rig);
  });

  it('hanging at inspect when a container is killed from outside: the case is an error of ours', async () => {
    await using rig = await rigged();
    const { sandbox, run } = await waitingCase(rig);
    rig.proxy.fault(calls.inspect, hang);
    const [{ Id } = { Id: '' }] = await rig.containers();
    await engine.docker.getContainer(Id).kill();
    expect(await run).toMatchObject({ kind: 'error', message: expect.stringContaining('the sandbox ended') });
    await dispose(sandbox);
    await nothingLeft(rig);
    await worksAgain(rig);
  });

  it('hanging at remove: the result stands, the operator is told, the container goes when the engine is back', {
    timeout: 60_000,
  }, async () => {
    await using rig = await rigged();
    expect(await rig.driver.probe()).toMatchObject({ available: true });
    const sandbox = sandboxOf(await rig.open(programs.echoInput));
    rig.proxy.fault(calls.remove, hang);
    expect(await runOne(sandbox, 'x')).toMatchObject({ kind: 'answer', answer: 'x' });
    await dispose(sandbox);
    expect(rig.problems.join()).toContain(`the engine did not remove a container within ${engineTimeoutMs} ms`);
    await rig.proxy.heal();
    await nothingLeft(rig, 30_000);
  });

  it('hanging at list: the operator is told, judging goes on, clearing goes on when it answers', async () => {
    await using rig = await rigged();
    rig.proxy.fault(calls.list, hang);
    expect(await bounded('probe', rig.driver.probe())).toMatchObject({ available: true });
    await expect.poll(() => rig.problems.join(), { timeout: 10_000 }).toContain('the engine did not list containers within');
    await using sandbox = sandboxOf(await rig.open(programs.echoInput));
    expect(await runOne(sandbox, 1)).toMatchObject({ kind: 'answer', answer: 1 });
  });

  it('being slow at every call changes no result', async () => {
    await using rig = await rigged();
    rig.proxy.fault(anything, { kind: 'delay', ms: 200 });
    {
      await using sandbox = sandboxOf(await rig.open(programs.echoInput));
      expect(await runOne(sandbox, 'slow')).toMatchObject({ kind: 'answer', answer: 'slow' });
    }
    await nothingLeft(rig);
  });

  it('losing the image between build and use: says which and how to get it', async () => {
    const imageId = `sha256:${'0'.repeat(64)}`;
    await using rig = await rigged({ images: { python: imageId } });
    const opened = await rig.open(programs.echoInput);
    expect(opened).toMatchObject({ ok: false, message: expect.stringMatching(/No such image.*collective images build/is) });
    expect(opened).not.toHaveProperty('fault', 'participant');
    await nothingLeft(rig);
  });
});

describeWith('docker', engine.state, 'an engine that fails in the middle of a case', () => {
  it('hanging with everything: the case is an error of ours and never the limit of a program that had time', async () => {
    await using rig = await rigged();
    const sandbox = sandboxOf(await rig.open('import time\ndef solve(task, target):\n    time.sleep(0.5)\n    return 1\n'));
    const run = runOne(sandbox);
    rig.proxy.fault(anything, hang);
    expect(await run).toMatchObject({ kind: 'error', message: expect.stringContaining('the engine did not') });
    await rig.proxy.heal();
    expect(await runOne(sandbox)).toMatchObject({ kind: 'answer', answer: 1 });
    await dispose(sandbox);
  });

  it('dying: the case is an error of ours that says so, in bounded time', { timeout: 60_000 }, async () => {
    await using rig = await rigged();
    const { sandbox, run } = await waitingCase(rig);
    await rig.proxy.die();
    expect(await run).toMatchObject({ kind: 'error', message: expect.stringMatching(/the sandbox (ended|failed)/) });
    // Nobody is there yet: the next case says so too, and does not wait for ever.
    expect(await runOne(sandbox)).toMatchObject({ kind: 'error', message: expect.stringMatching(/ENOENT|ECONNREFUSED/) });
    await dispose(sandbox);
  });

  it('dying and coming back: the next case works in the same sandbox, and nothing is left', { timeout: 60_000 }, async () => {
    await using rig = await rigged();
    expect(await rig.driver.probe()).toMatchObject({ available: true });
    const door = fakeDoor((request, signal) => {
      if (request.messages[0]?.content === 'wait') void rig.proxy.die();
      return silent(request, signal);
    });
    const source = `def solve(task, target):\n    return target.chat([{"role": "user", "content": "wait"}]) if task["input"] == "wait" else task["input"]\n`;
    const sandbox = sandboxOf(await rig.open(source, { door, limits: { ...conformanceLimits, wallMs: 60_000 } }));
    expect(await runOne(sandbox, 'before')).toMatchObject({ kind: 'answer', answer: 'before' });
    expect(await runOne(sandbox, 'wait')).toMatchObject({ kind: 'error' });
    await rig.proxy.heal();
    expect(await runOne(sandbox, 'after')).toMatchObject({ kind: 'answer', answer: 'after' });
    await dispose(sandbox);
    await nothingLeft(rig, 30_000);
  });

  it('dying while containers wait in the pool: none of them is handed on', { timeout: 60_000 }, async () => {
    await using rig = await rigged({ poolBytes: 268_435_456 });
    expect(await rig.driver.probe()).toMatchObject({ available: true });
    await sandboxOf(await rig.open(programs.echoInput))[Symbol.asyncDispose]();
    await expect.poll(async () => (await rig.containers()).map((one) => one.State), { timeout: 10_000 }).toEqual(['running']);
    const [{ Id: idle } = { Id: '' }] = await rig.containers();
    await rig.proxy.die();
    await worksAgain(rig);
    // It waited with its connection broken: found when the next one is asked for, or by the reaper.
    await expect.poll(async () => (await rig.containers()).map((one) => one.Id), { timeout: 30_000 }).not.toContain(idle);
    await dispose(rig.driver);
    await nothingLeft(rig, 10_000);
  });

  it('cutting the attached stream only: the case is an error, the container is not used again', async () => {
    await using rig = await rigged();
    const { sandbox, run } = await waitingCase(rig);
    const [first] = await rig.containers();
    rig.proxy.fault(calls.attach, { kind: 'refuse' });
    expect(await run).toMatchObject({ kind: 'error', message: expect.stringContaining('the sandbox ended') });
    await dispose(sandbox);
    expect((await rig.containers()).map((one) => one.Id)).not.toContain(first?.Id);
    await worksAgain(rig);
  });
});
