import { z } from 'zod';
import type { Finding } from '../../contracts/doctor.ts';
import type { Runtime } from '../../contracts/sandbox.ts';
import { type Check, finding } from './diagnosis.ts';
import { crunHoles, engineHoles, type Hole, holesOf, mended, parseVersion, runcHoles } from './known-holes.ts';

/** The parts of the engine's `/info` and `/version` that decide; everything else is ignored. */
export const EngineInfo = z.object({
  MemoryLimit: z.boolean().default(false),
  SwapLimit: z.boolean().default(false),
  PidsLimit: z.boolean().default(false),
  CpuCfsQuota: z.boolean().default(false),
  CgroupVersion: z.string().default('1'),
  KernelVersion: z.string().default('unknown'),
  SecurityOptions: z.array(z.string()).nullable().default([]),
  DockerRootDir: z.string().default(''),
  SystemTime: z.string().default(''),
});
export type EngineInfo = z.infer<typeof EngineInfo>;

export const EngineVersion = z.object({
  Version: z.string(),
  Components: z
    .array(z.object({ Name: z.string(), Version: z.string() }))
    .nullable()
    .default([]),
});
export type EngineVersion = z.infer<typeof EngineVersion>;

/** How this machine is used; a hole in a part that nothing here uses stands in nobody's way. */
export interface Use {
  /** What containers are started with: the usual runtime, those of some tiers, and gVisor where it is there. */
  runtimes: readonly Runtime[];
  /** Images of participants are run here. */
  foreignImages: boolean;
}

export interface Versions {
  runc: string | null;
  crun: string | null;
  runsc: string | null;
}

/** What the engine says about itself. Whether our own walls stand is tried live as well: live-checks.ts. */
export function engineChecks(info: EngineInfo, version: EngineVersion, versions: Versions, use: Use): Finding[] {
  return [
    versionCheck('engine-version', 'Docker Engine', version.Version, engineHoles, use.foreignImages),
    ...(use.runtimes.includes('runc') ? [versionCheck('runc-version', 'runc', versions.runc, runcHoles, use.foreignImages)] : []),
    ...(use.runtimes.includes('crun') ? [versionCheck('crun-version', 'crun', versions.crun, crunHoles, use.foreignImages)] : []),
    ...(use.runtimes.includes('runsc') ? [gvisorCheck(versions.runsc)] : []),
    kernelCheck(info.KernelVersion),
    ...abilityChecks(info),
  ];
}

/**
 * A version with a known hole is critical where money hangs on results: who escapes decides them. Ordinary work goes on,
 * because each of these holes needs a call that our profile refuses or that we never make; that is believed, not proven.
 */
function versionCheck(check: string, name: string, found: string | null, known: readonly Hole[], foreignImages: boolean): Finding {
  const holes = holesOf(found, known);
  const open = holes.filter((hole) => foreignImages || !hole.byImageOnly);
  const reported = open.length > 0 ? open : holes;
  const what: Check = {
    check,
    ...(open.length > 0 ? ({ severity: 'critical', blocks: 'bounty' } as const) : ({ severity: 'warning', blocks: 'nothing' } as const)),
    why: reported.length === 0 ? `old versions of ${name} have known holes` : reported.map((hole) => hole.what).join('; '),
    cves: reported.flatMap((hole) => hole.cves),
    fix: `Install ${name} ${mended(known)} or later. Where your distribution has mended these holes in this version, say so with ACCEPTED_SANDBOX_RISKS=${check} (not in production).`,
  };
  if (found === null) return finding(what, false, `the version of ${name} cannot be found out`);
  return finding(what, holes.length === 0, holes.length === 0 ? `${name} ${found}` : `${name} ${found} has known holes`);
}

/** gVisor numbers its releases by date and mends without CVE numbers, so age is all there is to go by. */
const oldestGvisor = 20_251_101;

function gvisorCheck(found: string | null): Finding {
  const date = Number(/(\d{8})/.exec(found ?? '')?.[1] ?? 0);
  const what: Check = {
    check: 'runsc-version',
    severity: 'warning',
    blocks: 'nothing',
    why: 'gVisor is mended every week without CVE numbers: an old release lacks fixes that nobody listed',
    fix: "Install a gVisor of the last year from its own packages, not from a distribution's.",
  };
  return finding(what, date >= oldestGvisor, found === null ? 'the version of gVisor cannot be found out' : `gVisor ${found}`);
}

function kernelCheck(found: string): Finding {
  const version = parseVersion(found);
  const what: Check = {
    check: 'kernel-version',
    severity: 'warning',
    blocks: 'nothing',
    // CVE-2022-0847 and CVE-2026-31431 need splice or AF_ALG, which are tried live.
    why: 'a kernel that is no longer maintained has holes without fixes; the ways to the best known ones are tried below',
    cves: ['CVE-2022-0847'],
    fix: 'Run a kernel that its distribution still maintains, 5.10 or later, and boot the newest one of its line.',
  };
  return finding(what, version !== null && (version[0] > 5 || (version[0] === 5 && version[1] >= 10)), `kernel ${found}`);
}

function abilityChecks(info: EngineInfo): Finding[] {
  const has = (name: string) => (info.SecurityOptions ?? []).some((option) => option.startsWith(`name=${name}`));
  const limits = { MemoryLimit: 'memory', PidsLimit: 'processes', CpuCfsQuota: 'processor time' } as const;
  const missing = Object.entries(limits).flatMap(([key, what]) => (info[key as keyof typeof limits] ? [] : [what]));
  const mapped = has('userns') || has('rootless');
  return [
    finding(
      engineLimits,
      missing.length === 0,
      missing.length === 0 ? 'memory, processes and processor time can be bounded' : `the engine cannot bound ${missing.join(', ')}`,
    ),
    finding(seccomp, has('seccomp'), has('seccomp') ? 'system calls can be filtered' : 'the engine cannot filter system calls'),
    finding(cgroups, info.CgroupVersion === '2', `control groups version ${info.CgroupVersion}`),
    finding(userNamespace, mapped, mapped ? 'root in a container is nobody on the host' : "root in a container is the host's root"),
  ];
}

const engineLimits: Check = {
  check: 'engine-limits',
  severity: 'critical',
  blocks: 'all',
  why: 'one program could take the whole machine, and no verdict about a limit could be trusted',
  fix: 'Enable the control groups "memory", "pids" and "cpu" in the kernel of the engine\'s host.',
};
const seccomp: Check = {
  check: 'seccomp',
  severity: 'critical',
  blocks: 'all',
  why: 'without a filter every system call of the host kernel is open to a submission',
  fix: 'Use an engine and kernel built with seccomp.',
};
/** A warning: everything we measure was found to work on version 1 as well, and its known escape needs calls that are refused. */
const cgroups: Check = {
  check: 'cgroup-version',
  severity: 'warning',
  blocks: 'nothing',
  why: 'version 1 counts less exactly and cannot kill a whole group at once; its release agent was a way out for privileged containers',
  cves: ['CVE-2022-0492'],
  fix: 'Boot the host with control groups version 2.',
};
/** A warning: submitted code never runs as root inside; this wall only matters when the runner, which does, is taken over. */
const userNamespace: Check = {
  check: 'user-namespace',
  severity: 'warning',
  blocks: 'nothing',
  why: 'programs run as another user without capabilities, but our runner beside them is root: a second wall would be missing if it were taken over',
  fix: 'Run the engine rootless, or set "userns-remap" in daemon.json.',
};
