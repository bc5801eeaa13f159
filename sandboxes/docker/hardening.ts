import { createHash, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type Docker from 'dockerode';
import { z } from 'zod';
import type { CaseIsolation, Limits, Profile, Runtime } from '../../contracts/sandbox.ts';
import type { RunnerSettings } from './runner-protocol.ts';
import { runtimeProfiles } from './runtimes.ts';

/**
 * The hardening profile: what a container may do, in one place. Each line takes away something a container has by
 * default; `test/attacks` and `hardening.test.ts` try every one of them from inside.
 *
 * PID 1 is our runner. It keeps three capabilities (SETUID, SETGID, KILL) to start the program as another user and to
 * kill what it leaves; the program has none. The engine's default masked and read-only paths of /proc stay in force.
 */

/**
 * The program's user and group: one of these, another one in each container. The kernel counts some things per user on the
 * whole host (inotify instances, pending signals, pages of pipes, descriptors in flight), so a shared one would let a program
 * starve another sandbox, or signal to it. Within 16 bits, because an engine with user namespaces maps no more.
 */
const slotUids = { first: 20_000, last: 64_999 } as const;
export const isSlotUid = (uid: number): boolean => uid >= slotUids.first && uid <= slotUids.last;

/** A user that none of `taken` has. */
export function freeSlotUid(taken: ReadonlySet<number>): number {
  for (;;) {
    const uid = randomInt(slotUids.first, slotUids.last + 1);
    if (!taken.has(uid)) return uid;
  }
}

export type DockerProfile = Exclude<Profile, 'js'>;

const mebibyte = 1_048_576;

/** What runner, zygote and runtime need for themselves, on top of what the rubric grants the program. */
const overhead: Record<DockerProfile, { memoryBytes: number; tasks: number }> = {
  // Tasks are threads to the kernel: two processes of ours, and about ten threads that Node starts for itself.
  node: { memoryBytes: 112 * mebibyte, tasks: 16 },
  python: { memoryBytes: 48 * mebibyte, tasks: 2 },
  image: { memoryBytes: 48 * mebibyte, tasks: 2 },
};

/** Programs up to the first size fit a container from the pool that was made before the program was known. */
const programBytes = { small: 262_144, large: 8_388_608 } as const;
export type ProgramSize = keyof typeof programBytes;
export const programSize = (bytes: number): ProgramSize | null =>
  bytes <= programBytes.small ? 'small' : bytes <= programBytes.large ? 'large' : null;

const Filter = z.looseObject({ syscalls: z.array(z.looseObject({ names: z.array(z.string()), action: z.string() })) });
const filter = Filter.parse(JSON.parse(readFileSync(new URL('../profiles/seccomp.json', import.meta.url), 'utf8')));

/** The filter's text itself goes to the engine, so that its own version does not decide what is refused. */
function seccomp(runtime: Runtime): string {
  if (runtimeProfiles[runtime].clone3 === 'ENOSYS') return JSON.stringify(filter);
  const opened = filter.syscalls.map((rule) => (rule.names.includes('clone3') ? { names: rule.names, action: 'SCMP_ACT_ALLOW' } : rule));
  return JSON.stringify({ ...filter, syscalls: opened });
}

export const labels = {
  sandbox: 'collective.sandbox',
  worker: 'collective.worker',
  deadline: 'collective.deadline',
  /** Names the folder in which a worker shows that it lives (presence.ts). */
  place: 'collective.place',
} as const;

/** What an image of a participant needs more than our own: its program, and the runner that its image does not have. */
export interface ForeignImage {
  command: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** The runner's folder on the engine's host, mounted at /collective. */
  runnerFolder: string;
  runnerCommand: readonly string[];
  runnerEnvironment: Readonly<Record<string, string>>;
}

/** Everything about a container that is known before its evaluation: the key of the pool. */
export interface ContainerShape {
  profile: DockerProfile;
  /** Engine's id of the image, `sha256:…`; never a tag. */
  imageId: string;
  runtime: Runtime;
  limits: Limits;
  cases: CaseIsolation;
  program: ProgramSize;
  foreign?: ForeignImage;
}

/** What differs from one container to the next: ids, and nothing of the evaluation. */
export interface ContainerNames {
  containerId: string;
  workerId: string;
  place: string;
  uid: number;
  /** Folder on the engine's host in which the gateway's socket will appear. */
  socketFolder: string;
  /** Time in milliseconds after which anybody may remove the container. */
  deadlineAt: number;
}

/** SHA-256 over all that a container may do and is told; containers of one hash are interchangeable. */
export function shapeHash(shape: ContainerShape): string {
  const names = { containerId: '', workerId: '', place: '', uid: 0, socketFolder: '', deadlineAt: 0 };
  return createHash('sha256')
    .update(JSON.stringify([createBody(shape, names), settingsOf(shape, 0)]))
    .digest('hex');
}

export function settingsOf({ profile, limits, cases, foreign }: ContainerShape, uid: number): RunnerSettings {
  const { outputBytes, outputBytesPerSecond, answerBytes, openFiles, artifacts, memoryBytes } = limits;
  return {
    kind: profile,
    uid,
    command: foreign?.command ?? [],
    environment: foreign?.environment ?? {},
    cases,
    ...{ outputBytes, outputBytesPerSecond, answerBytes, openFiles, artifacts },
    // V8's heap may grow above the sandbox's memory, so that the kernel's limit is the one that is met and observed.
    heapMegabytes: Math.ceil(memoryBytes / mebibyte) * 2,
  };
}

/** Memory and swap of the whole container. */
export function memoryBytes({ profile, limits, program, runtime }: ContainerShape): number {
  // The runner holds what it passes on in a few copies.
  const { outputBytes, answerBytes, artifacts } = limits;
  const passing = 4 * (outputBytes + answerBytes + programBytes[program] + (artifacts.files === 0 ? 0 : artifacts.bytes));
  return limits.memoryBytes + overhead[profile].memoryBytes + passing + runtimeProfiles[runtime].extraMemoryBytes;
}

function tmpfs({ limits, program, runtime }: ContainerShape, uid: number): Record<string, string> {
  const common = 'rw,nosuid,nodev,noexec';
  const own = `uid=${uid},gid=${uid},mode=0700`;
  return {
    '/program': `${common},size=${programBytes[program] + 65_536},nr_inodes=1024,mode=0755`,
    '/work': `${common},size=${limits.diskBytes},nr_inodes=${limits.diskInodes},${own}`,
    '/dev/shm': `${common},size=${mebibyte},nr_inodes=64,${own}`,
    ...runtimeProfiles[runtime].extraTmpfs,
  };
}

/** dockerode's types do not know these fields of the engine's interface. */
type HostConfig = Docker.HostConfig & { CgroupnsMode: 'private'; MaskedPaths?: string[] };

const runner = ['/usr/bin/python3', '-s', '-S', '-B', '-u', '/opt/collective/runner.py'];

/** The body of the engine's create call. */
export function createBody(shape: ContainerShape, names: ContainerNames): Docker.ContainerCreateOptions {
  const { foreign } = shape;
  return {
    Image: shape.imageId,
    Entrypoint: [...(foreign?.runnerCommand ?? runner)],
    Cmd: [],
    User: '0:0',
    WorkingDir: '/',
    Hostname: 'sandbox',
    Env: [
      'PATH=/usr/local/bin:/usr/bin:/bin',
      'LANG=C.UTF-8',
      // The order of a set must not differ between two runs of the same evaluation.
      'PYTHONHASHSEED=0',
      ...Object.entries(foreign?.runnerEnvironment ?? {}).map(([key, value]) => `${key}=${value}`),
    ],
    // What an image of a participant says about these is not wanted.
    Healthcheck: { Test: ['NONE'] },
    Volumes: {},
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
      [labels.sandbox]: names.containerId,
      [labels.worker]: names.workerId,
      [labels.place]: names.place,
      [labels.deadline]: String(names.deadlineAt),
    },
    HostConfig: hostConfig(shape, names),
  };
}

function hostConfig(shape: ContainerShape, names: ContainerNames): HostConfig {
  const memory = memoryBytes(shape);
  const { maskedPaths } = runtimeProfiles[shape.runtime];
  const ulimit = (name: string, value: number) => ({ Name: name, Soft: value, Hard: value });
  return {
    Runtime: shape.runtime,
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    Privileged: false,
    Init: false,
    AutoRemove: false,
    CapDrop: ['ALL'],
    CapAdd: ['SETUID', 'SETGID', 'KILL'],
    SecurityOpt: ['no-new-privileges', `seccomp=${seccomp(shape.runtime)}`],
    // Left out, the engine hides its own list; an empty one would hide nothing.
    ...(maskedPaths === null ? {} : { MaskedPaths: [...maskedPaths] }),
    IpcMode: 'private',
    CgroupnsMode: 'private',
    PidMode: '',
    UTSMode: '',
    UsernsMode: '',
    Tmpfs: tmpfs(shape, names.uid),
    Mounts: [readOnly(names.socketFolder, '/gateway'), ...(shape.foreign ? [readOnly(shape.foreign.runnerFolder, '/collective')] : [])],
    Memory: memory,
    MemorySwap: memory,
    OomKillDisable: false,
    // The kernel shall choose a sandbox before a database when the host itself runs out of memory.
    OomScoreAdj: 500,
    PidsLimit: shape.limits.processes + overhead[shape.profile].tasks + runtimeProfiles[shape.runtime].extraTasks,
    NanoCpus: 1_000_000_000,
    CpuShares: 512,
    ShmSize: mebibyte,
    Ulimits: [
      // The runner's own need: a hundred forwarded connections have two ends each. Programs get the rubric's number.
      ulimit('nofile', Math.max(1024, shape.limits.openFiles)),
      ulimit('core', 0),
      ulimit('memlock', 0),
      ulimit('msgqueue', 0),
      ulimit('fsize', Math.max(shape.limits.diskBytes, programBytes[shape.program])),
    ],
    LogConfig: { Type: 'none', Config: {} },
  };
}

/** A mount, not a bind: the engine refuses when the folder is missing instead of making one. */
const readOnly = (from: string, to: string): Docker.MountConfig[number] => ({
  Type: 'bind',
  Source: from,
  Target: to,
  ReadOnly: true,
  BindOptions: { Propagation: 'rprivate' },
});
