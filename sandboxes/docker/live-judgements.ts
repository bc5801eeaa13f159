import { z } from 'zod';
import type { Finding } from '../../contracts/doctor.ts';
import type { Runtime } from '../../contracts/sandbox.ts';
import { type Check, finding } from './diagnosis.ts';
import { isSlotUid } from './hardening.ts';

/** What programs that tried the walls of a sandbox from inside say about them: probe-programs.ts. */
export const SelfReport = z.object({
  status: z.record(z.string(), z.array(z.string())),
  interfaces: z.array(z.string()),
  writeRoot: z.string(),
  environment: z.record(z.string(), z.string()),
});
const Attempts = z.record(z.string(), z.string());
export const Reach = z.object({
  write: Attempts,
  read: Attempts,
  sockets: Attempts,
  connect: Attempts,
  resolve: z.string(),
  signalRunner: z.array(z.string()),
  gateway: Attempts,
});
export const MachineReport = z.object({ machine: z.string(), foreignAbis: Attempts, swapTotalKb: z.number() });
export const SystemCalls = Attempts;

/** Each of these is a wall that every sandbox relies on. */
const wall = (check: string, why: string, cves: string[] = []): Check => ({
  check,
  severity: 'critical',
  blocks: 'all',
  why,
  cves,
  fix: report,
});
export const report = 'Do not judge submissions here; report this with the versions of engine, runtime and kernel.';

export function confinement({ status, interfaces, writeRoot, environment }: z.infer<typeof SelfReport>, runtime: Runtime): Finding[] {
  const capabilities = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].flatMap((name) => status[name] ?? ['unknown']);
  const uids = status.Uid ?? [];
  const foreign = Object.keys(environment).filter((name) => !knownVariables.has(name));
  return [
    finding(
      wall('network', 'with a network a program could carry hidden cases out and reach databases and metadata services'),
      interfaces.join() === 'lo',
      `network interfaces inside: ${interfaces.join(', ')}`,
    ),
    finding(
      wall('identity', 'a program that runs as root inside is one hole away from root on the host', ['CVE-2019-5736']),
      uids.length === 4 && uids.every((uid) => uid === uids[0] && isSlotUid(Number(uid))),
      `programs run as uid ${uids[0]}`,
    ),
    finding(
      wall('capabilities', 'each capability opens parts of the kernel that are for administrators'),
      capabilities.every((set) => /^0+$/.test(set)),
      `capability sets of a program: ${capabilities.join(', ')}`,
    ),
    finding(
      wall('no-new-privileges', 'without it a setuid file of an image gives a program more rights'),
      // gVisor has it and does not show it; what it protects from is a setuid file of the image, and capabilities are none.
      status.NoNewPrivs?.[0] === '1' || (runtime === 'runsc' && (status.NoNewPrivs ?? []).length === 0),
      `NoNewPrivs is ${status.NoNewPrivs?.[0] ?? 'not shown'}`,
    ),
    finding(
      wall('system-call-filter', 'without our filter every system call of the kernel is open to a submission'),
      status.Seccomp?.[0] === '2',
      `Seccomp mode is ${status.Seccomp?.[0]}`,
    ),
    finding(
      wall('read-only-root', 'what one submission writes into its root another one could find'),
      writeRoot !== 'allowed',
      `writing to /: ${writeRoot}`,
    ),
    finding(
      wall('environment', 'variables of the worker hold keys that a submission could send to its own answers'),
      foreign.length === 0,
      foreign.length === 0 ? 'nothing of the worker in it' : `unexpected variables: ${foreign.join(', ')}`,
    ),
  ];
}

const knownVariables: ReadonlySet<string> = new Set([
  ...['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY'],
  ...['HOME', 'TMPDIR', 'PATH', 'LANG', 'USER', 'PYTHONHASHSEED'],
]);

/**
 * Old releases of gVisor let everybody read these. They hold the search path, the language and where libraries lie; the
 * runner's secret comes on its stdin and is nowhere but in its memory.
 */
const harmlessOfRunner: ReadonlySet<string> = new Set(['/proc/1/environ', '/proc/1/maps']);

/** What a program reaches of the runner, the file system, the network and the gateway's socket. */
export function outOfReach(tried: z.infer<typeof Reach>, runtime: Runtime): Finding[] {
  const isOpenInGvisor = (path: string) => runtime === 'runsc' && harmlessOfRunner.has(path);
  const runnerPaths = Object.entries(tried.read).filter(([path]) => path.startsWith('/proc/1/') && !isOpenInGvisor(path));
  return [
    attemptsCheck(wall('paths', 'a program that writes there reaches the runner, other sandboxes or the host'), tried.write),
    attemptsCheck(
      wall('runner', 'the runner holds the secret that makes results ours; a program that reads or signals it could forge them'),
      { ...Object.fromEntries(runnerPaths), ...Object.fromEntries(tried.signalRunner.map((said, i) => [`signal ${i}`, said])) },
    ),
    attemptsCheck(wall('addresses', 'a way to any address carries hidden cases out'), { ...tried.connect, resolve: tried.resolve }),
    attemptsCheck(
      wall('gateway-kept', "a program that could put its own socket in the gateway's place could answer in a model's name"),
      tried.gateway,
    ),
    refusal(
      wall('kernel-crypto-socket', 'such a socket can change files of an image layer under all containers that share it', [
        'CVE-2026-31431',
      ]),
      { AF_ALG: tried.sockets.alg ?? 'not tried' },
      runtime,
    ),
    refusal(
      wall('kernel-sockets', 'these reach the hypervisor, the configuration of the network, and drivers with a history of holes', [
        'CVE-2020-14386',
        'CVE-2021-26708',
        'CVE-2024-1086',
      ]),
      Object.fromEntries(Object.entries(tried.sockets).filter(([name]) => name !== 'alg')),
      runtime,
    ),
  ];
}

const families: readonly { check: string; calls: readonly string[]; why: string; cves: string[] }[] = [
  {
    check: 'io-uring',
    calls: ['io_uring_setup', 'io_setup'],
    why: 'it reaches files and sockets past the filter, and has been the most attacked part of the kernel',
    cves: ['CVE-2022-29582', 'CVE-2023-2598', 'CVE-2024-0582'],
  },
  { check: 'keyrings', calls: ['add_key', 'keyctl', 'request_key'], why: 'keys are not divided by container', cves: ['CVE-2016-0728'] },
  {
    check: 'userfaultfd',
    calls: ['userfaultfd'],
    why: 'it stops the kernel in the middle of a copy, which makes races certain',
    cves: ['CVE-2021-22555'],
  },
  {
    check: 'bpf-and-perf',
    calls: ['bpf', 'perf_event_open'],
    why: 'programs and counters inside the kernel',
    cves: ['CVE-2021-31440', 'CVE-2023-2163', 'CVE-2013-2094'],
  },
  {
    check: 'tracing',
    calls: ['ptrace', 'process_vm_readv', 'process_vm_writev', 'kcmp', 'pidfd_getfd'],
    why: 'one process could read the memory or the files of another',
    cves: ['CVE-2019-13272'],
  },
  {
    check: 'namespaces',
    calls: ['unshare user', 'unshare net', 'setns', 'clone user', 'clone pid', 'clone3'],
    why: 'in a namespace of its own a program has all capabilities, and with them the rest of the kernel',
    cves: ['CVE-2022-0185', 'CVE-2024-1086'],
  },
  {
    check: 'mounts',
    calls: ['mount', 'umount2', 'fsopen', 'open_tree', 'move_mount', 'pivot_root', 'chroot', 'open_by_handle_at'],
    why: 'mounts and file handles lead out of the container',
    cves: ['CVE-2022-0185', 'CVE-2014-3519'],
  },
  {
    check: 'shared-memory',
    calls: ['shmget', 'msgget', 'semget', 'mq_open'],
    why: 'what one case leaves in the kernel the next one could find',
    cves: [],
  },
  {
    check: 'signals-by-file',
    calls: ['inotify_init1', 'fcntl lease', 'fcntl notify'],
    why: 'they are counted for the whole host, and tell one sandbox what another one does with a file that both see',
    cves: [],
  },
  {
    check: 'protocol-modules',
    calls: ['dccp socket'],
    why: 'asking for a rare protocol makes the kernel load its code, which nobody looks after',
    cves: ['CVE-2017-6074'],
  },
  {
    check: 'page-cache',
    calls: ['splice', 'tee', 'vmsplice', 'memfd_create'],
    why: 'they let a program write into files that it may only read',
    cves: ['CVE-2022-0847', 'CVE-2026-31431'],
  },
  {
    check: 'machine-control',
    calls: [
      ...['init_module', 'kexec_load', 'reboot', 'swapon', 'sethostname', 'settimeofday', 'syslog', 'quotactl', 'acct', 'sync'],
      ...['iopl', 'modify_ldt', 'personality', 'seccomp'],
    ],
    why: "they change the machine, its clock or the rules of the program's own process",
    cves: [],
  },
  { check: 'identity-change', calls: ['setuid', 'setgid', 'setgroups'], why: 'a program could become the runner', cves: [] },
];

/** One finding per family of dangerous system calls; a call that no program tried counts as open. */
export function systemCallChecks(tried: z.infer<typeof SystemCalls>, machine: string, runtime: Runtime): Finding[] {
  return families.map(({ check, calls, why, cves }) => {
    const there = calls.filter((name) => machine === 'x86_64' || !onlyOnX86.has(name));
    return refusal(wall(check, why, cves), Object.fromEntries(there.map((name) => [name, tried[name] ?? 'not tried'])), runtime);
  });
}

const onlyOnX86: ReadonlySet<string> = new Set(['iopl', 'modify_ldt']);

export function machineChecks({ foreignAbis, machine, swapTotalKb }: z.infer<typeof MachineReport>, swapIsCounted: boolean): Finding[] {
  const open = Object.entries(foreignAbis).filter(([, said]) => said === 'allowed');
  const outcomes = Object.entries(foreignAbis).map(([name, said]) => `${name}: ${said}`);
  const swap: Check = {
    check: 'swap',
    severity: 'warning',
    blocks: 'nothing',
    why: 'a program can use more memory than its limit says, and slow down all others',
    fix: 'Turn swap off, or boot the host with swapaccount=1.',
  };
  return [
    finding(
      wall('foreign-abi', 'a filter for one set of call numbers does not see calls made by another'),
      open.length === 0,
      outcomes.length === 0 ? `${machine} has no second set of call numbers` : outcomes.join(', '),
    ),
    finding(
      swap,
      swapIsCounted || swapTotalKb === 0,
      swapTotalKb === 0 ? 'there is no swap' : `${swapTotalKb} kB of swap, ${swapIsCounted ? 'counted' : 'not counted'} as memory`,
    ),
  ];
}

/** Nothing of it may have worked; which error it was does not matter. */
function attemptsCheck(check: Check, tried: Record<string, string>): Finding {
  const open = Object.entries(tried).flatMap(([name, said]) => (said === 'allowed' ? [name] : []));
  const count = Object.keys(tried).length;
  return finding(check, open.length === 0 && count > 0, open.length === 0 ? `${count} ways tried, none open` : `open: ${open.join(', ')}`);
}

/** The filter says EINVAL to these; they were tried with arguments that the kernel would have taken. */
const refusedWithInvalid: ReadonlySet<string> = new Set(['splice', 'tee']);

/**
 * Our filter must have refused each of them: another error comes from the kernel behind it, which then was reached.
 * gVisor's kernel is not the host's, so under it any error will do.
 */
function refusal(check: Check, tried: Record<string, string>, runtime: Runtime): Finding {
  const byFilter = /^(Operation not permitted|Function not implemented|PermissionError 1)$/;
  const refused = (name: string, said: string) => byFilter.test(said) || (said === 'Invalid argument' && refusedWithInvalid.has(name));
  const open = Object.entries(tried).filter(([name, said]) =>
    runtime === 'runsc' ? said === 'allowed' || said === 'not tried' : !refused(name, said),
  );
  const detail =
    open.length === 0
      ? `refused: ${Object.keys(tried).join(', ')}`
      : `not refused: ${open.map(([name, said]) => `${name} (${said})`).join(', ')}`;
  return finding(check, open.length === 0, detail);
}
