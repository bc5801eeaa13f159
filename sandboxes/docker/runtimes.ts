import type Docker from 'dockerode';
import { z } from 'zod';
import { Runtime } from '../../contracts/sandbox.ts';
import { engineProblem, within } from './engine.ts';

/**
 * What differs between the runtimes that can start a container. The create body (hardening.ts) is one for all of them,
 * with these changes. Each line was found by running the conformance suite under the runtime.
 */

const mebibyte = 1_048_576;

export interface RuntimeProfile {
  /** Kernel tasks the runtime itself needs inside the container's process limit. */
  extraTasks: number;
  /** Memory the runtime itself needs inside the container's memory limit. */
  extraMemoryBytes: number;
  /** Mounts of `HostConfig.Tmpfs` that only this runtime needs. */
  extraTmpfs: Readonly<Record<string, string>>;
  /** Paths hidden from programs; null leaves the engine's own list. */
  maskedPaths: readonly string[] | null;
  /** What the system call filter says to clone3. */
  clone3: 'ENOSYS' | 'allow';
  /** How often a running case's counters are read, in milliseconds. */
  pollMs: number;
  /** Whether a rubric's process limit is met exactly. Where not, the memory limit stands in for it. */
  exactProcessLimit: boolean;
  /** Whether the number of files in a writable place is bounded. */
  inodeLimit: boolean;
}

const plain: RuntimeProfile = {
  extraTasks: 0,
  extraMemoryBytes: 0,
  extraTmpfs: {},
  maskedPaths: null,
  clone3: 'ENOSYS',
  pollMs: 25,
  exactProcessLimit: true,
  inodeLimit: true,
};

export const runtimeProfiles: Record<Runtime, RuntimeProfile> = {
  runc: plain,
  crun: {
    ...plain,
    // crun hides a file by laying the host's own /dev/null over it. All sandboxes and the host then share one file, and
    // locks on it are a channel between two sandboxes (seen with flock on /proc/keys). Folders are hidden by an empty
    // tmpfs of their own, so only folders are hidden: /proc/keys shows no more than the name of the container's keyring.
    // On a mixed control group layout crun leaves a folder there that everybody may write.
    extraTmpfs: { '/sys/fs/cgroup': 'ro,nosuid,nodev,noexec,size=4096' },
    maskedPaths: ['/proc/asound', '/proc/acpi', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'],
  },
  runsc: {
    ...plain,
    // gVisor's kernel runs inside the container's own limits: 42 tasks with one Python process, 5 to 6 for each further
    // process, next to none for a thread. With fewer than it needs to start it does not fail: it hangs for ever in the
    // engine's start call, and no later call on that container is answered. When a program exhausts them, gVisor ends
    // with exit code 2, and the counter that would say why goes with it. So there are more than fit into the largest
    // memory: the memory limit is met first, and that one is observed.
    extraTasks: 4096,
    // 20 MiB with one Python process where runc shows 7. Each further process costs up to 7 MiB, which the rubric's own
    // limit has to hold (60 waiting forks: 429 MiB, with runc 47).
    extraMemoryBytes: 64 * mebibyte,
    // Where an image has an empty /tmp, gVisor mounts one that everybody may write, without a limit of its own, and
    // nobody cleans it between cases.
    extraTmpfs: { '/tmp': 'ro,nosuid,nodev,noexec,size=4096' },
    // Needs `--oci-seccomp`. gVisor answers EPERM whatever error the filter names, and with EPERM no thread starts: the
    // C library falls back to clone only on ENOSYS. A namespace made inside gVisor is gVisor's own, not the host's.
    clone3: 'allow',
    // What it held just before its end is all that tells why it was killed.
    pollMs: 5,
    exactProcessLimit: false,
    inodeLimit: false,
  },
};

export interface RuntimeState {
  runtime: Runtime;
  usable: boolean;
  /** What was seen: how it works, or why it does not and what to do. One line. */
  detail: string;
  /** What the kernel inside calls itself: the host's release, or gVisor's made-up one. Null when nothing ran. */
  version: string | null;
}

const Info = z.object({ Runtimes: z.record(z.string(), z.unknown()).nullable().default({}) });
const Seen = z.object({ release: z.string(), dmesg: z.string(), seccomp: z.string(), interfaces: z.array(z.string()) });

/** Prints what the program sees of its kernel. Python is in all of our images, the runner is written in it. */
const look = `
import json, os
status = dict(line.rstrip("\\n").split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
interfaces = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
print(json.dumps({"release": os.uname().release, "dmesg": os.uname().version, "seccomp": status.get("Seccomp", ""), "interfaces": interfaces}))
`;

/** A runtime that works answers in well under a second; one that hangs does so for ever. */
const probeMs = 15_000;
const callMs = 5_000;

const filter = JSON.stringify({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: ['swapon'], action: 'SCMP_ACT_ERRNO' }],
});

/**
 * Asks the engine which of our runtimes it knows and starts one tiny container in each: what an engine lists may still
 * refuse every container (crun on a mixed control group layout) or hang (gVisor on some kernels). `imageId` is one of
 * our own images. Never takes longer than about half a minute for each runtime.
 * @throws when the engine does not answer `/info`.
 */
export async function probeRuntimes(docker: Docker, imageId: string, limitMs = probeMs): Promise<RuntimeState[]> {
  const info = Info.parse(await within(callMs, 'describe itself', docker.info()));
  const known = Object.keys(info.Runtimes ?? {});
  const states: RuntimeState[] = [];
  // One after another: a runtime that spins a processor must not make the next one look slow.
  for (const runtime of Runtime.options) {
    states.push(known.includes(runtime) ? await tryRuntime(docker, runtime, imageId, limitMs) : notRegistered(runtime));
  }
  return states;
}

function notRegistered(runtime: Runtime): RuntimeState {
  const detail = `not registered: install ${runtime} and add it to "runtimes" in the engine's daemon.json`;
  return { runtime, usable: false, detail, version: null };
}

async function tryRuntime(docker: Docker, runtime: Runtime, imageId: string, limitMs: number): Promise<RuntimeState> {
  const no = (detail: string): RuntimeState => ({ runtime, usable: false, detail, version: null });
  let container: Docker.Container;
  try {
    container = await within(callMs, 'create a container', docker.createContainer(probeBody(runtime, imageId)));
  } catch (error) {
    return no(`the engine refused a container: ${engineProblem(error)}`);
  }
  let state: RuntimeState;
  try {
    state = judge(runtime, await within(limitMs, `finish a container of ${runtime}`, outputOf(container)));
  } catch (error) {
    state = no(`a container did not run: ${engineProblem(error)}`);
  }
  const left = await removed(container);
  return left === null ? state : no(`${state.detail}; and it cannot be removed (${left}): end its processes on the engine's host`);
}

async function outputOf(container: Docker.Container): Promise<string> {
  const stream = await container.attach({ stream: true, stdout: true, stderr: true });
  const chunks: Buffer[] = [];
  // Read to the end in any case: a stream that nobody reads makes the engine's kill wait.
  stream.on('data', (chunk: Buffer) => chunks.length < 64 && chunks.push(chunk));
  stream.on('error', () => stream.removeAllListeners('data'));
  try {
    const ended = container.wait({ condition: 'next-exit' });
    ended.catch(() => {});
    await container.start();
    await ended;
    // The engine frames output (8 bytes before each piece); the braces are ours.
    const text = Buffer.concat(chunks).toString('latin1');
    return text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1) || text;
  } finally {
    (stream as NodeJS.ReadWriteStream & { destroy(): void }).destroy();
  }
}

function judge(runtime: Runtime, output: string): RuntimeState {
  const no = (detail: string): RuntimeState => ({ runtime, usable: false, detail, version: null });
  let found: z.infer<typeof Seen>;
  try {
    found = Seen.parse(JSON.parse(output));
  } catch {
    return no(`a container printed something else than its kernel: ${JSON.stringify(output.slice(0, 300))}`);
  }
  const version = found.release;
  if (found.interfaces.some((name) => name !== 'lo')) {
    return no(`a container without a network sees ${found.interfaces.join(', ')}; add --network=none to the runtime's arguments`);
  }
  if (found.seccomp !== '2') {
    return no('system call filters do not hold inside; add --oci-seccomp to the runtime\'s arguments ("runtimeArgs" in daemon.json)');
  }
  return { runtime, usable: true, detail: `ran a container on kernel ${version}`, version };
}

/** Kills and removes; null when the container is gone, else why it is not. Every call is bounded. */
async function removed(container: Docker.Container): Promise<string | null> {
  try {
    await within(callMs, 'remove a container', container.remove({ force: true }));
    return null;
  } catch (error) {
    return /HTTP 404/.test(engineProblem(error)) ? null : engineProblem(error);
  }
}

function probeBody(runtime: Runtime, imageId: string): Docker.ContainerCreateOptions {
  const memory = 64 * mebibyte + runtimeProfiles[runtime].extraMemoryBytes;
  const { maskedPaths, extraTmpfs, extraTasks } = runtimeProfiles[runtime];
  return {
    Image: imageId,
    Entrypoint: ['/usr/bin/python3', '-E', '-s', '-S', '-c', look],
    Cmd: [],
    User: '65532:65532',
    WorkingDir: '/',
    Env: [],
    NetworkDisabled: true,
    Labels: { 'collective.probe': runtime },
    HostConfig: {
      Runtime: runtime,
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges', `seccomp=${filter}`],
      IpcMode: 'private',
      Tmpfs: { ...extraTmpfs },
      ...(maskedPaths === null ? {} : { MaskedPaths: [...maskedPaths] }),
      Memory: memory,
      MemorySwap: memory,
      PidsLimit: 16 + extraTasks,
      NanoCpus: 1_000_000_000,
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}
