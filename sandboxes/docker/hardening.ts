import { readFileSync } from 'node:fs';
import type Docker from 'dockerode';
import type { Limits } from '../../contracts/sandbox.ts';

/**
 * The hardening profile: what a container may do, in one place. Each line takes away something a container has by
 * default; `test/attacks` and `hardening.test.ts` try every one of them from inside.
 *
 * PID 1 is our runner. It keeps three capabilities (SETUID, SETGID, KILL) to start the program as another user and to
 * kill what it leaves; the program has none. The engine's default masked and read-only paths of /proc stay in force.
 */

/** The program's user and group inside every container. It has a name in the images and no rights on any file there. */
export const slotUid = 65_532;

export type DockerProfile = 'node' | 'python';

const mebibyte = 1_048_576;

/** What the runner and the runtime need for themselves, on top of what the rubric grants the program. */
const overhead: Record<DockerProfile, { memoryBytes: number; tasks: number }> = {
  // Tasks are threads to the kernel: Node starts about ten of them, in the runner and again in the program.
  node: { memoryBytes: 96 * mebibyte, tasks: 28 },
  python: { memoryBytes: 32 * mebibyte, tasks: 1 },
};

const commands: Record<DockerProfile, string[]> = {
  node: ['/usr/bin/node', '--max-old-space-size=64', '/opt/collective/runner.mjs'],
  python: ['/usr/bin/python3', '-E', '-s', '-B', '/opt/collective/runner.py'],
};

// One line: the engine takes the filter's text itself, so that its own version does not decide what is refused.
const seccomp = JSON.stringify(JSON.parse(readFileSync(new URL('../profiles/seccomp.json', import.meta.url), 'utf8')));

export const labels = { sandbox: 'collective.sandbox', worker: 'collective.worker', deadline: 'collective.deadline' } as const;

export interface ContainerSpec {
  profile: DockerProfile;
  /** Engine's id of the image, `sha256:…`; never a tag. */
  imageId: string;
  limits: Limits;
  sourceBytes: number;
  /** Folder with the gateway's socket on the engine's host. */
  socketFolder: string;
  sandboxId: string;
  workerId: string;
  /** Time in milliseconds after which anybody may remove the container. */
  deadlineAt: number;
}

/** Limits of V8's heap above the sandbox's memory, so that the kernel's limit is the one that is met and observed. */
export const heapMegabytes = (limits: Limits): number => Math.ceil(limits.memoryBytes / mebibyte) * 2;

function memoryBytes({ profile, limits, sourceBytes }: ContainerSpec): number {
  // The runner holds the log, the answer and the source in a few copies while it passes them on.
  const passing = 4 * (limits.outputBytes + limits.answerBytes + sourceBytes);
  return limits.memoryBytes + overhead[profile].memoryBytes + passing;
}

function tmpfs({ limits, sourceBytes }: ContainerSpec): Record<string, string> {
  const common = 'rw,nosuid,nodev,noexec';
  const own = `uid=${slotUid},gid=${slotUid},mode=0700`;
  return {
    '/program': `${common},size=${sourceBytes + 65_536},nr_inodes=16,mode=0755`,
    '/work': `${common},size=${limits.diskBytes},nr_inodes=${limits.diskInodes},${own}`,
    '/dev/shm': `${common},size=${mebibyte},nr_inodes=64,${own}`,
  };
}

/** dockerode's types do not know this field of the engine's interface. */
type HostConfig = Docker.HostConfig & { CgroupnsMode: 'private' };

/** The body of the engine's create call. */
export function createBody(spec: ContainerSpec): Docker.ContainerCreateOptions {
  return {
    Image: spec.imageId,
    Entrypoint: commands[spec.profile],
    Cmd: [],
    User: '0:0',
    WorkingDir: '/',
    Hostname: 'sandbox',
    Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'LANG=C.UTF-8'],
    // Without this the engine calls its network code for a network that does not exist: half of the start time.
    NetworkDisabled: true,
    // The worker holds stdin. When it dies the engine closes stdin, the runner ends, and with PID 1 everything.
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    // Never used to stop anything. It is also how long the engine waits for the exit of a container that ended while it
    // was being killed; with 0 it gives up at once, and Engine 20.10 then leaks the shim process (seen, 1 in 20).
    StopTimeout: 10,
    Labels: {
      [labels.sandbox]: spec.sandboxId,
      [labels.worker]: spec.workerId,
      [labels.deadline]: String(spec.deadlineAt),
    },
    HostConfig: hostConfig(spec),
  };
}

function hostConfig(spec: ContainerSpec): HostConfig {
  const memory = memoryBytes(spec);
  const ulimit = (name: string, value: number) => ({ Name: name, Soft: value, Hard: value });
  return {
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    Privileged: false,
    Init: false,
    AutoRemove: false,
    CapDrop: ['ALL'],
    CapAdd: ['SETUID', 'SETGID', 'KILL'],
    SecurityOpt: ['no-new-privileges', `seccomp=${seccomp}`],
    IpcMode: 'private',
    CgroupnsMode: 'private',
    PidMode: '',
    UTSMode: '',
    UsernsMode: '',
    Tmpfs: tmpfs(spec),
    // A mount, not a bind: the engine refuses when the folder is missing instead of making one.
    Mounts: [
      {
        Type: 'bind',
        Source: spec.socketFolder,
        Target: '/gateway',
        ReadOnly: true,
        BindOptions: { Propagation: 'rprivate' },
      },
    ],
    Memory: memory,
    MemorySwap: memory,
    OomKillDisable: false,
    // The kernel shall choose a sandbox before a database when the host itself runs out of memory.
    OomScoreAdj: 500,
    PidsLimit: spec.limits.processes + overhead[spec.profile].tasks,
    NanoCpus: 1_000_000_000,
    CpuShares: 512,
    ShmSize: mebibyte,
    Ulimits: [
      ulimit('nofile', 256),
      ulimit('core', 0),
      ulimit('memlock', 0),
      ulimit('msgqueue', 0),
      ulimit('fsize', spec.limits.diskBytes),
    ],
    LogConfig: { Type: 'none', Config: {} },
  };
}
