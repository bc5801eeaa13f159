import { z } from 'zod';
import { type Diagnosis, diagnosis } from './diagnosis.ts';

/** The parts of the engine's `/info` and `/version` that decide; everything else is ignored. */
export const EngineInfo = z.object({
  MemoryLimit: z.boolean().default(false),
  SwapLimit: z.boolean().default(false),
  PidsLimit: z.boolean().default(false),
  CpuCfsQuota: z.boolean().default(false),
  CgroupVersion: z.string().default('1'),
  KernelVersion: z.string().default('unknown'),
  SecurityOptions: z.array(z.string()).nullable().default([]),
});
export type EngineInfo = z.infer<typeof EngineInfo>;

export const EngineVersion = z.object({
  Version: z.string(),
  Components: z.array(z.object({ Name: z.string(), Version: z.string() })).default([]),
});
export type EngineVersion = z.infer<typeof EngineVersion>;

type Version = readonly [number, number, number];

/** The leading three numbers of a version, null when there are none. */
export function parseVersion(text: string): Version | null {
  const found = /(\d+)\.(\d+)\.(\d+)/.exec(text);
  return found === null ? null : [Number(found[1]), Number(found[2]), Number(found[3])];
}

function atLeast(version: Version, least: Version): boolean {
  for (const [index, part] of version.entries()) {
    const other = least[index] ?? 0;
    if (part !== other) return part > other;
  }
  return true;
}

/** True when the version has the fix, given the first fixed version of each release line, oldest line first. */
export function isFixed(version: Version, fixedIn: readonly Version[]): boolean {
  const sameLine = fixedIn.find(([major, minor]) => major === version[0] && minor === version[1]);
  return atLeast(version, sameLine ?? fixedIn.at(-1) ?? version);
}

/** First runc of each line without CVE-2025-31133, CVE-2025-52565, CVE-2025-52881 and CVE-2026-41579. */
const fixedRunc: readonly Version[] = [
  [1, 3, 6],
  [1, 4, 3],
  [1, 5, 0],
];
/** Engine without CVE-2026-41567, CVE-2026-41568, CVE-2026-42306 (archive calls), and with AF_ALG off by default. */
const fixedEngine: readonly Version[] = [[29, 5, 1]];

/** What the engine says about itself. Old versions are warnings: what our profile relies on is tried live as well. */
export function engineChecks(info: EngineInfo, version: EngineVersion): Diagnosis[] {
  const runc = version.Components.find((part) => part.Name === 'runc')?.Version;
  const options = info.SecurityOptions ?? [];
  const has = (name: string) => options.some((option) => option.startsWith(`name=${name}`));
  const limits = { MemoryLimit: 'memory', PidsLimit: 'processes', CpuCfsQuota: 'processor time' } as const;
  const missing = Object.entries(limits).flatMap(([key, what]) => (info[key as keyof typeof limits] ? [] : [what]));
  return [
    versionCheck(
      'engine-version',
      'Docker Engine',
      version.Version,
      fixedEngine,
      'CVE-2026-41567, -41568, -42306: files copied to the host',
    ),
    versionCheck('runc-version', 'runc', runc ?? 'unknown', fixedRunc, 'CVE-2025-31133, -52565, -52881: escape while a container starts'),
    diagnosis(
      'engine-limits',
      'fatal',
      missing.length === 0,
      missing.length === 0 ? 'memory, processes and processor time can be bounded' : `the engine cannot bound ${missing.join(', ')}`,
      'Enable the control groups "memory", "pids" and "cpu" in the kernel of the engine\'s host.',
    ),
    diagnosis(
      'swap-limit',
      'warning',
      info.SwapLimit,
      info.SwapLimit ? 'swap counts as memory' : 'swap is not counted: a program can use more than its memory',
      'Turn swap off, or boot the host with swapaccount=1.',
    ),
    diagnosis(
      'cgroup-version',
      'warning',
      info.CgroupVersion === '2',
      `control groups version ${info.CgroupVersion}`,
      'Boot the host with control groups version 2.',
    ),
    diagnosis(
      'user-namespace',
      'warning',
      has('userns') || has('rootless'),
      has('userns') || has('rootless') ? 'root in a container is nobody on the host' : "root in a container is the host's root",
      'Set "userns-remap" in daemon.json or run the engine rootless.',
    ),
    diagnosis(
      'seccomp',
      'fatal',
      has('seccomp'),
      has('seccomp') ? 'system calls can be filtered' : 'the engine cannot filter system calls',
      'Use an engine and kernel built with seccomp.',
    ),
  ];
}

function versionCheck(check: string, name: string, found: string, fixedIn: readonly Version[], known: string): Diagnosis {
  const version = parseVersion(found);
  const wanted = fixedIn.map((one) => one.join('.')).join(', ');
  const fixed = version !== null && isFixed(version, fixedIn);
  const detail = fixed ? `${name} ${found}` : `${name} ${found} is older than ${wanted} and may lack fixes for ${known}`;
  return diagnosis(check, 'warning', fixed, detail, `Install ${name} ${wanted} or later, or your distribution's build with these fixes.`);
}
