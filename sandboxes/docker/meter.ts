import { closeSync, openSync, readSync } from 'node:fs';
import type Docker from 'dockerode';
import { engineProblem, within } from './engine.ts';

/** Counters of a whole container since its start; null where they cannot be read. */
export interface Counters {
  cpuMs: number | null;
  oomKills: number | null;
  /** Processes or threads refused by the process limit. */
  refusedTasks: number | null;
  /** Memory in use now. */
  memoryBytes: number | null;
}

export const noCounters: Counters = { cpuMs: null, oomKills: null, refusedTasks: null, memoryBytes: null };

/** Reads what the kernel counted about one container. The program cannot reach or change any of it. */
export interface Meter extends Disposable {
  read(): Counters | Promise<Counters>;
  /** How often reading is cheap enough while a case runs, in milliseconds. */
  pollMs: number;
}

interface CgroupFiles {
  cpu: string;
  memory: string;
  memoryInUse: string;
  tasks: string;
  cpuMs(text: string): number | null;
}

const field = (text: string, name: string): number | null => {
  const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  return found === undefined ? null : Number(found);
};

/** Where engines put a container's control group: cgroup v2 and v1, each with the engine's own and systemd's naming. */
function candidates(mounted: string, id: string): CgroupFiles[] {
  const groups = [`docker/${id}`, `system.slice/docker-${id}.scope`];
  const unified = groups.map((group) => ({
    cpu: `${mounted}/${group}/cpu.stat`,
    memory: `${mounted}/${group}/memory.events`,
    memoryInUse: `${mounted}/${group}/memory.current`,
    tasks: `${mounted}/${group}/pids.events`,
    cpuMs: (text: string) => {
      const micros = field(text, 'usage_usec');
      return micros === null ? null : micros / 1000;
    },
  }));
  const split = ['cpuacct', 'cpu,cpuacct'].flatMap((controller) =>
    groups.map((group) => ({
      cpu: `${mounted}/${controller}/${group}/cpuacct.usage`,
      memory: `${mounted}/memory/${group}/memory.oom_control`,
      memoryInUse: `${mounted}/memory/${group}/memory.usage_in_bytes`,
      tasks: `${mounted}/pids/${group}/pids.events`,
      cpuMs: (text: string) => Number(text) / 1_000_000,
    })),
  );
  return [...unified, ...split];
}

const buffer = Buffer.allocUnsafe(4096);

/** A file that is read again and again from its start; null when there is none. */
function openAt(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    // The control group is gone, or has no such controller; a group that may not be read tells nothing either.
    if (['ENOENT', 'ENODEV', 'EACCES', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

function textAt(fd: number | null): string | null {
  if (fd === null) return null;
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
  } catch (error) {
    // The container ended between two looks.
    if (['ENODEV', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

/**
 * The meter of a running container. When the engine is on this machine its control groups are read directly: three
 * files kept open, some ten microseconds a look, which is why it is not worth a thread. Else the engine's statistics
 * are asked, which know processor time only: memory kills then show in the container's state when it ends, refused
 * processes do not show at all.
 */
export function meterOf(container: Docker.Container, timeoutMs: number, pollMs: number, mounted = '/sys/fs/cgroup'): Meter {
  for (const files of candidates(mounted, container.id)) {
    const cpu = openAt(files.cpu);
    if (cpu !== null) return groupMeter(files, cpu, pollMs);
  }
  return { read: () => askEngine(container, timeoutMs), pollMs: 500, [Symbol.dispose]: () => {} };
}

function groupMeter(files: CgroupFiles, cpu: number, pollMs: number): Meter {
  const fds = [cpu, openAt(files.memory), openAt(files.tasks), openAt(files.memoryInUse)] as const;
  const read = (): Counters => {
    const [cpuText, memoryText, tasksText, inUse] = fds.map(textAt);
    return {
      cpuMs: cpuText == null ? null : files.cpuMs(cpuText),
      oomKills: memoryText == null ? null : field(memoryText, 'oom_kill'),
      refusedTasks: tasksText == null ? null : field(tasksText, 'max'),
      memoryBytes: inUse == null ? null : Number(inUse),
    };
  };
  return { read, pollMs, [Symbol.dispose]: () => fds.filter((fd) => fd !== null).forEach(closeSync) };
}

async function askEngine(container: Docker.Container, timeoutMs: number): Promise<Counters> {
  try {
    const stats = await within(timeoutMs, 'give statistics', container.stats({ stream: false, 'one-shot': true }));
    return { ...noCounters, cpuMs: stats.cpu_stats.cpu_usage.total_usage / 1_000_000 };
  } catch (error) {
    // A container that just ended has no statistics; that it ended is seen elsewhere.
    if (/HTTP 40[49]/.test(engineProblem(error))) return noCounters;
    throw error;
  }
}
