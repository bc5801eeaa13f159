import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type Docker from 'dockerode';
import { labels } from '../../../sandboxes/docker/hardening.ts';
import { childrenOf } from '../../setup/processes.ts';
import { until } from '../../setup/until.ts';
import type { SeenContainer } from './containers.ts';

/** What is ours on this host, so that what others do on the same engine at the same time is not taken for it. */
export interface Own {
  docker: Docker;
  workerId: string;
  /** Folder for sockets and folder for temporary files; both empty while no sandbox is open. */
  folders: readonly string[];
  /** The engine's folder for its own files, to look for what it forgot. */
  engineFolder: string;
  /** Processes that belong to the harness. */
  helpers: number[];
}

const goneWithinMs = 8_000;

/**
 * What is left of sandboxes that have been closed: containers, processes, namespaces, mounts, control groups, files of
 * engine and worker. The engine and the kernel finish some of it after they answered, so it is asked again for some seconds.
 */
export async function leftBehind(own: Own, containers: readonly SeenContainer[]): Promise<string[]> {
  let left: string[] = [];
  const nothing = async () => {
    left = [...(await containersLeft(own)), ...processesLeft(own, containers), ...hostLeft(own, containers)];
    return left.length === 0;
  };
  return await until('nothing is left', nothing, goneWithinMs, 20).then(
    () => [],
    () => left,
  );
}

async function containersLeft({ docker, workerId }: Own): Promise<string[]> {
  const found = await docker.listContainers({ all: true, filters: { label: [`${labels.worker}=${workerId}`] } });
  return found.map(({ Id, State }) => `container ${Id.slice(0, 12)} is ${State}`);
}

/** Processes in a control group or a namespace of the containers, engine processes that still serve one, our own children. */
function processesLeft({ helpers }: Own, containers: readonly SeenContainer[]): string[] {
  const ids = containers.map(({ id }) => id);
  const namespaces = new Set(containers.flatMap((one) => one.namespaces));
  const left = childrenOf(process.pid)
    .filter((pid) => !helpers.includes(pid))
    .map((pid) => `child process ${pid} (${commandOf(pid)})`);
  if (ids.length === 0) return left;
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    const groups = textOf(`/proc/${name}/cgroup`);
    const command = commandOf(Number(name));
    if (ids.some((id) => groups.includes(id) || command.includes(id))) left.push(`process ${name} (${command.slice(0, 100)})`);
    // The kernel gives the number of a namespace that is gone to the next one: another container's processes are not ours.
    else if (!/[0-9a-f]{64}/.test(groups) && namespaces.has(linkOf(`/proc/${name}/ns/net`)))
      left.push(`process ${name} in a network namespace of a sandbox`);
  }
  return left;
}

function hostLeft({ folders, engineFolder }: Own, containers: readonly SeenContainer[]): string[] {
  const mounts = textOf('/proc/self/mountinfo').split('\n');
  const named = [...folders, ...containers.flatMap(({ id, root }) => [id, ...(root === null ? [] : [root])])];
  const left = mounts.filter((line) => named.some((name) => line.includes(name))).map((line) => `mount ${line.slice(0, 200)}`);
  for (const folder of folders) left.push(...readdirSync(folder).map((name) => `file ${folder}/${name}`));
  for (const { id } of containers) {
    left.push(...controlGroups(id).map((path) => `control group ${path}`));
    if (existsSync(`${engineFolder}/containers/${id}`)) left.push(`folder of the engine for ${id.slice(0, 12)}`);
  }
  return left;
}

function controlGroups(id: string): string[] {
  const mounted = '/sys/fs/cgroup';
  if (!existsSync(mounted)) return [];
  const roots = [mounted, ...readdirSync(mounted).map((name) => `${mounted}/${name}`)];
  return roots.flatMap((root) => [`${root}/docker/${id}`, `${root}/system.slice/docker-${id}.scope`]).filter((path) => existsSync(path));
}

const commandOf = (pid: number): string => textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();

/** Empty where there is nothing to read: a process that ended while we looked has left nothing. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
