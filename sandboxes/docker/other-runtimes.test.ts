import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Runtime } from '../../contracts/sandbox.ts';
import { testEngine } from '../../test/setup/docker.ts';
import { describeWith, type Optional } from '../../test/setup/optional.ts';
import { conformance } from '../conformance.ts';
import { dockerDriver } from './driver.ts';
import { labels } from './hardening.ts';
import { probeRuntimes } from './runtimes.ts';

const engine = await testEngine();
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-sockets-'));
const states = engine.images.python === undefined ? [] : await probeRuntimes(engine.docker, engine.images.python);

const stateOf = (runtime: Runtime): Optional => {
  if (!engine.state.available) return engine.state;
  const found = states.find((one) => one.runtime === runtime);
  return found?.usable ? { available: true } : { available: false, reason: found?.detail ?? 'not looked at' };
};

for (const runtime of ['crun', 'runsc'] as const) {
  describeWith(runtime, stateOf(runtime), `containers started by ${runtime}`, () => {
    const { dockerHost, images, docker } = engine;
    const workerId = `${runtime}-${process.pid}`;
    const driver = dockerDriver({ dockerHost, socketFolder, images, workerId, runtimes: { usual: runtime, byTier: {} } });
    const leftovers = async () => {
      const filters = { label: [`${labels.worker}=${workerId}`] };
      return (await docker.listContainers({ all: true, filters })).map((one) => one.Id);
    };
    conformance(driver, 'python', { leftovers });
  });
}
