import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { testEngine } from '../../test/setup/docker.ts';
import { describeWith } from '../../test/setup/optional.ts';
import { probeRuntimes, runtimeProfiles } from './runtimes.ts';

const engine = await testEngine();
const image = engine.images.python ?? `sha256:${'0'.repeat(64)}`;

const probes = async (docker: Docker) => {
  const containers = await docker.listContainers({ all: true, filters: { label: ['collective.probe'] } });
  return containers.map((one) => one.Id);
};

describeWith('docker', engine.state, 'the runtimes of the engine', () => {
  const { docker } = engine;

  it('runs a container in each one that is registered and says how to get the others', async () => {
    const { Runtimes } = await docker.info();
    const states = await probeRuntimes(docker, image);
    expect(states.map((one) => one.runtime)).toEqual(['runc', 'crun', 'runsc']);
    for (const { runtime, usable, detail, version } of states) {
      if (runtime in Runtimes) {
        expect({ runtime, usable, detail }).toEqual({ runtime, usable: true, detail: `ran a container on kernel ${version}` });
      } else {
        expect({ usable, detail }).toEqual({ usable: false, detail: expect.stringContaining(`install ${runtime}`) });
      }
    }
    expect(states[0]).toMatchObject({ runtime: 'runc', usable: true });
    await expect.poll(() => probes(docker), { timeout: 20_000 }).toEqual([]);
  });

  it.skipIf(process.env.REQUIRE_RUNSC !== '1')('has all three, where CI installed them, and gVisor shows its own kernel', async () => {
    const states = await probeRuntimes(docker, image);
    expect(states.map((one) => [one.runtime, one.usable])).toEqual([
      ['runc', true],
      ['crun', true],
      ['runsc', true],
    ]);
    expect(states[2]?.version).not.toBe(states[0]?.version);
  });

  it('gives up on a container that does not end in time, and removes it', async () => {
    const states = await probeRuntimes(docker, image, 1);
    expect(states[0]).toMatchObject({ usable: false, detail: expect.stringContaining('did not finish a container of runc within 1 ms') });
    await expect.poll(() => probes(docker), { timeout: 20_000 }).toEqual([]);
  });

  it('passes on what the engine says when it refuses', async () => {
    const [runc] = await probeRuntimes(docker, `sha256:${'0'.repeat(64)}`);
    expect(runc).toMatchObject({
      usable: false,
      version: null,
      detail: expect.stringMatching(/refused a container: .*404.*no such image/i),
    });
  });
});

/** An engine that creates containers and answers nothing about them afterwards, as one does whose runtime hangs. */
async function hangingEngine() {
  const socketPath = join(await mkdtemp(join(tmpdir(), 'collective-engine-')), 'engine.sock');
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.split('?')[0]}`);
    request.resume();
    const reply = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/info') reply(200, { Runtimes: { runsc: {} } });
    else if (request.url?.startsWith('/containers/create')) reply(201, { Id: 'stuck', Warnings: [] });
  });
  await new Promise<void>((listening) => server.listen(socketPath, listening));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  return { docker: new Docker({ socketPath }), asked, [Symbol.asyncDispose]: stop };
}

describe('a runtime that hangs', () => {
  it('is reported within its time, with the container that nobody can remove', async () => {
    await using hanging = await hangingEngine();
    const states = await probeRuntimes(hanging.docker, image, 200);
    expect(states.map((one) => one.usable)).toEqual([false, false, false]);
    expect(states[2]?.detail).toMatch(/within 200 ms; and it cannot be removed .*end its processes on the engine's host/);
    expect(hanging.asked).toContain('DELETE /containers/stuck');
  }, 15_000);

  it('has room for its own threads in every container, because too few make it hang', () => {
    expect(runtimeProfiles.runsc.extraTasks).toBeGreaterThanOrEqual(256);
  });
});
