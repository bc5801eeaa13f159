import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { programsFor } from '../../sandboxes/conformance-programs.ts';
import { labels } from '../../sandboxes/docker/hardening.ts';
import { placeOf } from '../../sandboxes/docker/presence.ts';
import { testEngine } from '../setup/docker.ts';
import { describeWith } from '../setup/optional.ts';
import { processesOf } from '../setup/processes.ts';
import { runOne, type SandboxRig, sandboxOf, sandboxRig } from '../setup/sandbox-rig.ts';

/**
 * Workers that share an engine, and the real death of one: nothing it had may be there half a minute later, and nothing
 * that the living have may be touched.
 */
const engine = await testEngine();
const programs = programsFor('python');
const poolBytes = 134_217_728;
const script = fileURLToPath(new URL('../fixtures/abandoned-worker.ts', import.meta.url));
/** What the issue allows. */
const goneWithinMs = 30_000;

interface Doomed extends AsyncDisposable {
  workerId: string;
  child: ChildProcess;
  containers(): Promise<{ Id: string; State: string }[]>;
}

/** A worker process in the middle of a case, with containers waiting in its pool. */
async function doomedWorker({ given }: SandboxRig): Promise<Doomed> {
  const workerId = `${given.workerId}-doomed`;
  const settings = { ...given, dockerHost: engine.dockerHost, workerId, poolBytes, onProblem: undefined };
  const child = spawn(process.execPath, [script, JSON.stringify(settings), 'python'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => {
      throw new Error('the worker ended before its case ran');
    }),
  ]);
  const containers = () => engine.docker.listContainers({ all: true, filters: { label: [`${labels.worker}=${workerId}`] } });
  await expect.poll(async () => (await containers()).map((one) => one.State), { timeout: 10_000 }).toEqual(['running', 'running']);
  const dispose = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { workerId, child, containers, [Symbol.asyncDispose]: dispose };
}

describeWith('docker', engine.state, 'workers that share an engine', () => {
  it('one killed in mid-case and with idle containers is cleared by another within half a minute', { timeout: 60_000 }, async () => {
    await using rig = await sandboxRig(engine);
    expect(await rig.driver.probe()).toMatchObject({ available: true });
    await using doomed = await doomedWorker(rig);
    const ids = (await doomed.containers()).map((one) => one.Id);
    expect(ids.flatMap((id) => processesOf(id)).length).toBeGreaterThan(0);
    doomed.child.kill('SIGKILL');
    const killedAt = performance.now();
    await expect.poll(doomed.containers, { timeout: goneWithinMs, interval: 250 }).toEqual([]);
    const place = placeOf(rig.given.socketFolder, doomed.workerId);
    await expect.poll(() => readdir(rig.given.socketFolder), { timeout: goneWithinMs }).not.toContain(place.split('/').at(-1));
    await expect.poll(() => ids.flatMap((id) => processesOf(id)), { timeout: 5_000 }).toEqual([]);
    expect(performance.now() - killedAt).toBeLessThan(goneWithinMs);
    expect(rig.problems).toEqual([]);
  });

  it('leave each other alone, and both may clear a third', { timeout: 60_000 }, async () => {
    await using one = await sandboxRig(engine, { poolBytes });
    await using two = await sandboxRig(engine, { poolBytes, socketFolder: one.given.socketFolder });
    const living = [one, two];
    for (const { driver } of living) expect(await driver.probe()).toMatchObject({ available: true });
    await using first = sandboxOf(await one.open(programs.echoInput));
    await using second = sandboxOf(await two.open(programs.echoInput));
    const running = async (rig: SandboxRig) => (await rig.containers()).filter(({ State }) => State === 'running');
    const idsOf = async (rig: SandboxRig) => (await running(rig)).map(({ Id }) => Id).sort();
    for (const rig of living) await expect.poll(() => idsOf(rig), { timeout: 10_000 }).toHaveLength(2);
    const before = await Promise.all(living.map(idsOf));
    await using doomed = await doomedWorker(one);
    doomed.child.kill('SIGKILL');
    await expect.poll(doomed.containers, { timeout: goneWithinMs, interval: 250 }).toEqual([]);
    for (const rig of living) await rig.reap();
    expect(await Promise.all(living.map(idsOf))).toEqual(before);
    expect(await runOne(first, 1)).toMatchObject({ kind: 'answer', answer: 1 });
    expect(await runOne(second, 2)).toMatchObject({ kind: 'answer', answer: 2 });
    expect(living.flatMap(({ problems }) => problems)).toEqual([]);
  });

  it('do not take one that only stands still for dead', async () => {
    await using rig = await sandboxRig(engine);
    await using doomed = await doomedWorker(rig);
    doomed.child.kill('SIGSTOP');
    expect(await rig.driver.probe()).toMatchObject({ available: true });
    expect(await doomed.containers()).toMatchObject([{ State: 'running' }, { State: 'running' }]);
    await doomed[Symbol.asyncDispose]();
    await rig.reap();
    expect(await doomed.containers()).toEqual([]);
  });
});
