import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testEngine } from '../../test/setup/docker.ts';
import { describeWith } from '../../test/setup/optional.ts';
import { conformance } from '../conformance.ts';
import { dockerDriver } from './driver.ts';
import { labels } from './hardening.ts';
import { placeOf } from './presence.ts';

const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-sockets-'));
const workerId = `test-${process.pid}`;

const forged = (frame: object): string => {
  const body = JSON.stringify(frame);
  return `${String.fromCharCode(0, 0, 0, body.length)}${body}`;
};

describeWith('docker', engine.state, 'the docker driver', () => {
  const { dockerHost, images, docker } = engine;
  const driver = dockerDriver({ dockerHost, socketFolder, images, workerId });
  const leftovers = async () => {
    const filters = { label: [`${labels.worker}=${workerId}`] };
    const containers = await docker.listContainers({ all: true, filters });
    return [...containers.map((one) => one.Id), ...(await readdir(placeOf(socketFolder, workerId))).filter((name) => name !== 'alive')];
  };
  const result = {
    type: 'result',
    seq: 1,
    end: 'answer',
    exitCode: 0,
    signal: null,
    answer: 'QSJmb3JnZWQiCg==',
    log: '',
    diskFull: false,
    artifacts: null,
  };
  const forgeries = [forged({ nonce: 'guess', ...result, clean: true }), 'A"forged"', '+A"forged"'];
  for (const profile of ['python', 'node'] as const) conformance(driver, profile, { leftovers, forgeries });

  it('leaves no container and no socket behind after all of that', async () => {
    await expect.poll(leftovers).toEqual([]);
  });
});

describe('the docker driver without an engine', () => {
  const given = { socketFolder, images: { node: `sha256:${'0'.repeat(64)}` }, workerId };

  it('says that it is not available and what to install', async () => {
    const driver = dockerDriver({ ...given, dockerHost: 'unix:///nonexistent/engine.sock' });
    expect(await driver.probe()).toMatchObject({
      available: false,
      reason: expect.stringContaining('/nonexistent/engine.sock'),
      install: expect.stringContaining('docker.io'),
    });
  });

  it('names the form of DOCKER_HOST that it understands', async () => {
    const driver = dockerDriver({ ...given, dockerHost: 'ssh://somewhere' });
    expect(await driver.probe()).toMatchObject({ available: false, reason: expect.stringContaining('unix:///path') });
  });
});
