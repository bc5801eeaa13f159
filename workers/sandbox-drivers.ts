import { join } from 'node:path';
import type { Config } from '../contracts/config.ts';
import type { Need } from '../contracts/queue.ts';
import type { SandboxDriver } from '../contracts/sandbox.ts';
import { dockerDriver } from '../sandboxes/docker/driver.ts';
import { loadImageIds } from '../sandboxes/images/build.ts';
import { wasmDriver } from '../sandboxes/wasm/driver.ts';

/** Every sandbox driver there is; which of them work here is found out by `offers`. */
export async function drivers(options: { home: string; workerId: string; config: Config }): Promise<SandboxDriver[]> {
  const { home, workerId, config } = options;
  const docker = dockerDriver({
    ...(config.DOCKER_HOST === undefined ? {} : { dockerHost: config.DOCKER_HOST }),
    socketFolder: config.SANDBOX_SOCKETS ?? join(home, 'sockets'),
    images: await loadImageIds(join(home, 'images.json')),
    workerId,
  });
  return [wasmDriver(), docker];
}

export interface Offer {
  /** What this worker can run now. */
  needs: Need[];
  /** What it cannot, why, and what to install. */
  unavailable: { need: string; reason: string; install: string }[];
}

/** Probes every driver. `none` is always there: it runs no submitted code. */
export async function offers(sandboxes: readonly SandboxDriver[]): Promise<Offer> {
  const offer: Offer = { needs: ['none'], unavailable: [] };
  for (const driver of sandboxes) {
    const state = await driver.probe();
    for (const profile of driver.profiles) {
      if (state.available && state.profiles.includes(profile)) offer.needs.push(profile);
      else if (state.available) {
        const install = 'Run `npx collective images build` on the worker, then start it again.';
        offer.unavailable.push({ need: profile, reason: `the ${driver.name} driver has no "${profile}" image`, install });
      } else offer.unavailable.push({ need: profile, reason: state.reason, install: state.install });
    }
  }
  return offer;
}
