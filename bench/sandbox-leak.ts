import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { labels } from '../sandboxes/docker/hardening.ts';
import { answered, type BenchSetup, mebibyte, openSandbox, type Row, rate, runCase } from './sandbox-setup.ts';

/** Thousands of evaluations in a row, and what is there afterwards that was not there before. */
const noop = 'def solve(task, target):\n    return 1\n';
const parallel = 4;
const warmUp = 40;
const part = 'leak';

/** Connections that the client keeps for a while, and helpers of the engine that are still ending. */
const settleMs = 15_000;

export async function benchLeak(setup: BenchSetup, { evaluations }: { evaluations: number }): Promise<Row[]> {
  const driver = setup.driver({ poolBytes: 128 * mebibyte });
  const resident = () => process.memoryUsage.rss() / mebibyte;
  const [descriptors, folders, orphaned, start] = [openDescriptors(), entries(setup), await orphansOf(setup), resident()];
  let [done, highest] = [0, 0];
  const evaluation = async () => {
    await using sandbox = await openSandbox(driver, noop);
    answered(await runCase(sandbox));
    highest = Math.max(highest, resident());
    if (++done % 200 === 0) console.error(`${done} evaluations, ${resident().toFixed(0)} MiB resident`);
  };
  await rate(warmUp, parallel, evaluation);
  const warm = resident();
  await rate(evaluations, parallel, evaluation);
  const last = resident();
  await driver[Symbol.asyncDispose]();
  const filters = { label: [`${labels.worker}=${driver.workerId}`] };
  const containers = await setup.docker.listContainers({ all: true, filters });
  const orphans = await settled(async () => Math.max(0, (await orphansOf(setup)) - orphaned));
  const more = await settled(async () => Math.max(0, openDescriptors() - descriptors));
  const none = { most: 0 };
  return [
    { part, what: 'evaluations', value: done, unit: '' },
    { part, what: 'containers left', value: containers.length, unit: '', target: none },
    { part, what: 'control groups and helper processes without a container, more than before', value: orphans, unit: '', target: none },
    { part, what: 'sockets and folders more than before', value: entries(setup) - folders, unit: '', target: none },
    { part, what: "worker's file descriptors more than before", value: more, unit: '', target: none },
    { part, what: "worker's memory before the first evaluation", value: start, unit: 'MiB' },
    { part, what: `after ${warmUp}`, value: warm, unit: 'MiB' },
    { part, what: 'after the last', value: last, unit: 'MiB' },
    { part, what: 'at its highest', value: highest, unit: 'MiB', target: { most: 150 } },
  ];
}

/** The count when it has come down to nothing, or has not for long. */
async function settled(count: () => Promise<number>): Promise<number> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const found = await count();
    if (found === 0 || performance.now() > deadline) return found;
    await pause(250);
  }
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;
const entries = ({ socketFolder }: BenchSetup): number => readdirSync(socketFolder, { recursive: true }).length;

/** Of the whole machine, so that it does not matter who else uses it: what belongs to a container that is no more. */
async function orphansOf({ docker }: BenchSetup): Promise<number> {
  const ids = [...controlGroups(), ...shims()];
  const known = new Set((await docker.listContainers({ all: true })).map((one) => one.Id));
  return ids.filter((id) => !known.has(id)).length;
}

/** Containers that have control groups, in either version's layout, with the engine's own naming. */
function controlGroups(): string[] {
  const mounted = '/sys/fs/cgroup';
  const parents = [`${mounted}/docker`, ...readdirSync(mounted).map((name) => `${mounted}/${name}/docker`)].filter(existsSync);
  return parents.flatMap((at) => readdirSync(at).filter((name) => /^[0-9a-f]{64}$/.test(name)));
}

/** Containers that the engine has a helper process for. */
function shims(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const id = /containerd-shim[^\0]*\0.*-id\0([0-9a-f]{64})/s.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1];
      return id === undefined ? [] : [id];
    } catch {
      return []; // It ended between the listing and the look.
    }
  });
}
