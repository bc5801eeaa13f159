import { join } from 'node:path';
import type { Config } from '../contracts/config.ts';
import type { Finding, Standing } from '../contracts/doctor.ts';
import { type Demands, type Need, needFor } from '../contracts/queue.ts';
import type { Availability, Profile, SandboxDriver } from '../contracts/sandbox.ts';
import { dockerDriver } from '../sandboxes/docker/driver.ts';
import { operatorOptions } from '../sandboxes/docker/operator.ts';
import type { DockerDriverOptions } from '../sandboxes/docker/options.ts';
import { wasmDriver } from '../sandboxes/wasm/driver.ts';

/** What a worker keeps ready for the next evaluation: about eight idle containers. */
const usualPoolBytes = 268_435_456;

export interface DriverSetting {
  home: string;
  workerId: string;
  config: Config;
  onProblem(message: string): void;
}

/** What the docker driver and the doctor of this worker are set up with. */
export async function dockerSetting({ home, workerId, config, onProblem }: DriverSetting): Promise<DockerDriverOptions> {
  const options = await operatorOptions(config, { home, workerId, socketFolder: join(home, 'sockets'), poolBytes: usualPoolBytes });
  return { ...options, onProblem };
}

export interface Drivers extends AsyncDisposable {
  all: SandboxDriver[];
}

/** Every sandbox driver there is; which of them work here is found out by asking them. */
export function drivers(options: DockerDriverOptions): Drivers {
  const docker = dockerDriver(options);
  return { all: [wasmDriver(), docker], [Symbol.asyncDispose]: () => docker[Symbol.asyncDispose]() };
}

export interface Offer {
  /** What this worker can run now. */
  needs: Need[];
  /** What it cannot, why, and what to install. */
  unavailable: { need: string; reason: string; install: string }[];
}

export interface Seen {
  driver: SandboxDriver;
  state: Availability;
}

/** What the doctor says about the machine; standing null while it has not ended its first checks. */
export interface Examined {
  standing: Standing | null;
  gvisorWorks: boolean;
}

/**
 * What a worker offers, by what its drivers can do and what its doctor found. `none` is always there: it runs no
 * submitted code. Containers are offered before the doctor has ended, bounty work only after it found nothing in the way.
 */
export function offerOf(seen: readonly Seen[], examined: Examined): Offer {
  const offer: Offer = { needs: ['none'], unavailable: [] };
  for (const { driver, state } of seen) {
    for (const profile of driver.profiles) {
      for (const demands of allDemands) {
        const need = needFor(profile, demands);
        if (need === null) continue;
        const obstacle = ofDriver(driver, state, profile) ?? ofGvisor(state, demands, examined) ?? ofDoctor(driver, demands, examined);
        if (obstacle === null) offer.needs.push(need);
        else offer.unavailable.push({ need, ...obstacle });
      }
    }
  }
  return offer;
}

const allDemands: readonly Demands[] = [
  { gvisor: false, bounty: false },
  { gvisor: true, bounty: false },
  { gvisor: false, bounty: true },
  { gvisor: true, bounty: true },
];

/** Why a need cannot be met; null: nothing is in the way. */
type Obstacle = { reason: string; install: string } | null;

function ofDriver(driver: SandboxDriver, state: Availability, profile: Profile): Obstacle {
  if (!state.available) return { reason: state.reason, install: state.install };
  if (state.profiles.includes(profile)) return null;
  if (profile === 'image')
    return { reason: 'this worker may fetch images from no registry', install: 'name registries in IMAGE_REGISTRIES on a worker.' };
  return {
    reason: `the ${driver.name} driver has no "${profile}" image`,
    install: 'Run `npx collective images build` on the worker, then start it again.',
  };
}

function ofGvisor(state: Availability, { gvisor }: Demands, { gvisorWorks }: Examined): Obstacle {
  if (!gvisor || (state.available && state.gvisor && gvisorWorks)) return null;
  const reason = gvisorWorks ? 'the engine of this worker has no gVisor' : 'gVisor does not work on this worker';
  return {
    reason,
    install: 'install gVisor (runsc) on a worker and register it with its engine; `collective doctor` says what is missing.',
  };
}

function ofDoctor(driver: SandboxDriver, { bounty }: Demands, { standing }: Examined): Obstacle {
  // WebAssembly relies on nothing that the doctor looks at, and takes no bounty work.
  if (driver.name !== 'docker') return null;
  if (standing === null) {
    return bounty
      ? {
          reason: 'the checks of the machine, which come before bounty work, have not ended yet',
          install: 'wait for them, about half a minute.',
        }
      : null;
  }
  if (bounty ? standing.bounty : standing.ordinary) return null;
  const shown = standing.blocking.filter((one) => bounty || one.blocks === 'all');
  return {
    reason: `the checks of the machine failed: ${shown.map(inWords).join('; ')}`,
    install: [...new Set(shown.map((one) => one.fix))].join(' ') || 'Run `collective doctor` on a worker.',
  };
}

const inWords = ({ detail, cves }: Finding): string => (cves.length === 0 ? detail : `${detail} (${cves.join(', ')})`);
