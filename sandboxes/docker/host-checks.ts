import { statfs } from 'node:fs/promises';
import type { Finding } from '../../contracts/doctor.ts';
import { type Check, finding } from './diagnosis.ts';

/** Below these a machine is about to fail evaluations by itself; on the way there it is a warning. */
const enough = { bytes: 2_147_483_648, inodes: 20_000 };
const least = { bytes: 268_435_456, inodes: 2_000 };

/**
 * Free bytes and inodes where the folder lies. A folder of the engine's host that cannot be seen from here is told as
 * such: the engine may be on another machine.
 */
export async function diskCheck(check: string, folder: string): Promise<Finding> {
  const what = {
    check,
    why: 'on a full disk containers do not start and results cannot be kept: evaluations end as our fault',
    fix: `Free space where ${folder} lies.`,
  };
  let free: { bytes: number; inodes: number };
  try {
    const { bavail, bsize, ffree, files } = await statfs(folder);
    // Some file systems count no inodes: all numbers are zero then.
    free = { bytes: bavail * bsize, inodes: files === 0 ? Number.POSITIVE_INFINITY : ffree };
  } catch (error) {
    const said = (error as NodeJS.ErrnoException).code ?? String(error);
    return finding(
      { ...what, severity: 'info', blocks: 'nothing', fix: `Watch it on the engine's host.` },
      false,
      `${folder} cannot be seen from here (${said})`,
    );
  }
  const full = free.bytes < least.bytes || free.inodes < least.inodes;
  const ok = free.bytes >= enough.bytes && free.inodes >= enough.inodes;
  const detail = `${Math.floor(free.bytes / 1_048_576)} MiB and ${Number.isFinite(free.inodes) ? free.inodes : 'any number of'} files free at ${folder}`;
  return finding(
    { ...what, ...(full ? ({ severity: 'critical', blocks: 'all' } as const) : ({ severity: 'warning', blocks: 'nothing' } as const)) },
    ok,
    detail,
  );
}

/** More than this and times in different places of one record contradict each other. */
const mostSkewMs = 5_000;

const clock = (check: string, why: string, fix: string): Check => ({ check, severity: 'warning', blocks: 'nothing', why, fix });
const keepTime = 'Let a time service (chrony, systemd-timesyncd) keep the clock on every machine.';

/**
 * Compares another clock with ours. `ask` gives its time; our own is read before and after, and only what lies outside
 * both counts, so that a slow answer is not a wrong clock.
 */
export async function clockCheck(whose: 'engine' | 'database', ask: () => Promise<Date>): Promise<Finding> {
  const why =
    whose === 'engine'
      ? 'when another worker may clear what a dead one left is decided by this clock'
      : 'leases are kept by the clock of the database; deadlines and records then show times that do not fit';
  const what = clock(`clock-${whose}`, why, keepTime);
  const before = Date.now();
  let there: number;
  try {
    there = (await ask()).getTime();
  } catch (error) {
    return finding(what, false, `the ${whose} did not tell its time: ${(error as Error).message}`);
  }
  if (Number.isNaN(there)) return finding(what, false, `the ${whose} told no time`);
  const after = Date.now();
  const skewMs = there < before ? before - there : Math.max(0, there - after);
  return finding(
    what,
    skewMs <= mostSkewMs,
    skewMs <= mostSkewMs ? `within ${mostSkewMs} ms of ours` : `${Math.round(skewMs)} ms away from ours`,
  );
}

/** Notes the time now; called later it says whether the wall clock went as far as the monotonic one. */
export function watchClock(now = () => ({ wall: Date.now(), monotonic: performance.now() })): () => Finding {
  const began = now();
  return () => {
    const ended = now();
    const passed = ended.monotonic - began.monotonic;
    const step = ended.wall - began.wall - passed;
    const what = clock('clock-steady', 'limits are measured by a clock that never steps; times that are shown are not', keepTime);
    const ok = passed >= 0 && Math.abs(step) < 500;
    return finding(what, ok, ok ? 'no step while the checks ran' : `the wall clock stepped by ${Math.round(step)} ms while the checks ran`);
  };
}
