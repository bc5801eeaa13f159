import { access, readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import { engineProblem, within } from './engine.ts';

/** Counters of a whole container since its start; null where they cannot be read. */
export interface Counters {
  cpuMs: number | null;
  oomKills: number | null;
  /** Processes or threads refused by the process limit. */
  refusedTasks: number | null;
}

/** Reads what the kernel counted about one container. The program cannot reach or change any of it. */
export interface Meter {
  read(): Promise<Counters>;
  /** How often reading is cheap enough while a case runs, in milliseconds. */
  pollMs: number;
}

interface CgroupFiles {
  cpu: string;
  memory: string;
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
      tasks: `${mounted}/pids/${group}/pids.events`,
      cpuMs: (text: string) => Number(text) / 1_000_000,
    })),
  );
  return [...unified, ...split];
}

/** A file's text, null when the control group is gone or has no such controller. */
const text = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(() => null);

/**
 * The meter of a running container. When the engine is on this machine its control groups are read directly, in well
 * under a millisecond; else the engine's statistics are asked, which know processor time only: memory kills then show
 * in the container's state when it ends, refused processes do not show at all.
 */
export async function meterOf(container: Docker.Container, mounted = '/sys/fs/cgroup'): Promise<Meter> {
  for (const files of candidates(mounted, container.id)) {
    const here = await access(files.cpu).then(
      () => true,
      () => false,
    );
    if (here) return { read: () => readFiles(files), pollMs: 25 };
  }
  return { read: () => askEngine(container), pollMs: 500 };
}

async function readFiles(files: CgroupFiles): Promise<Counters> {
  const [cpu, memory, tasks] = await Promise.all([text(files.cpu), text(files.memory), text(files.tasks)]);
  return {
    cpuMs: cpu === null ? null : files.cpuMs(cpu),
    oomKills: memory === null ? null : field(memory, 'oom_kill'),
    refusedTasks: tasks === null ? null : field(tasks, 'max'),
  };
}

async function askEngine(container: Docker.Container): Promise<Counters> {
  const none = { cpuMs: null, oomKills: null, refusedTasks: null };
  try {
    const stats = await within(5_000, 'give statistics', container.stats({ stream: false, 'one-shot': true }));
    return { ...none, cpuMs: stats.cpu_stats.cpu_usage.total_usage / 1_000_000 };
  } catch (error) {
    // A container that just ended has no statistics; that it ended is seen elsewhere.
    if (/HTTP 40[49]/.test(engineProblem(error))) return none;
    throw error;
  }
}
