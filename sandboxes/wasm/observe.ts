import { readFileSync } from 'node:fs';

/** What the kernel says about a process: CPU time of all its threads, and resident memory. */
export interface Observation {
  cpuMs: number;
  residentBytes: number;
}

/** Linux reports process times to user space in 1/100 s on every architecture (proc(5), USER_HZ). */
const tickMs = 10;

/**
 * Reads /proc. Null where there is none (other systems, or the process is gone): then the wall clock alone bounds a
 * case.
 */
export function observe(pid: number): Observation | null {
  let stat: string;
  let status: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return null;
  }
  // The second field is the command in parentheses and may itself contain anything; fields are counted after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const residentKb = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  return { cpuMs: ticks * tickMs, residentBytes: residentKb * 1024 };
}
