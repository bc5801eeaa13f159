import { closeSync, openSync, readSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/**
 * Theory of operation. A worker whose event loop stands still serves nobody, so an attack may not make it stand longer
 * than 200 ms. On a machine of two busy cores any process stands still now and then because another one runs; to count
 * that would make the check fail by chance. The kernel knows the difference: `schedstat` of a thread tells how long it
 * was ready to run and had to wait for a core, `/proc/stat` how long the hypervisor gave the cores to somebody else. A
 * timer ticks every ten milliseconds; what a late tick is late, less what the thread waited in that time, is ours:
 * computation, collection of garbage, or a blocking call to the kernel.
 */
export interface LoopWatch {
  /** Longest stretch of time, in milliseconds, in which the loop stood still by its own doing. Ends the watch. */
  stop(): { ownMs: number; wholeMs: number; peakRssBytes: number };
}

const tickMs = 10;
/** USER_HZ: /proc/stat counts in hundredths of a second, each core by itself. */
const stealTickMs = 10;

export function watchLoop(): LoopWatch {
  const wait = reader('/proc/thread-self/schedstat', (text) => Number(text.split(' ')[1]) / 1_000_000);
  const steal = reader('/proc/stat', (text) => Number(text.split(/\s+/)[8]) * stealTickMs);
  let [ownMs, wholeMs, peakRssBytes, ticks] = [0, 0, 0, 0];
  let [at, waited, stolen] = [performance.now(), wait.read(), steal.read()];
  const timer = setInterval(() => {
    const [now, waitedNow, stolenNow] = [performance.now(), wait.read(), steal.read()];
    const late = now - at - tickMs;
    wholeMs = Math.max(wholeMs, late);
    ownMs = Math.max(ownMs, late - (waitedNow - waited) - (stolenNow - stolen));
    [at, waited, stolen] = [performance.now(), wait.read(), steal.read()];
    ticks += 1;
    if (ticks % 5 === 0) peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss());
  }, tickMs);
  return {
    stop: () => {
      clearInterval(timer);
      for (const one of [wait, steal]) one.close();
      return { ownMs, wholeMs, peakRssBytes };
    },
  };
}

/** A file of /proc that is kept open; 0 where it does not exist, so that the whole lag counts. */
function reader(path: string, value: (text: string) => number): { read(): number; close(): void } {
  const buffer = Buffer.alloc(256);
  let fd: number | null;
  try {
    fd = openSync(path, 'r');
  } catch {
    fd = null;
  }
  return {
    read: () => (fd === null ? 0 : value(buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0))) || 0),
    close: () => {
      if (fd !== null) closeSync(fd);
    },
  };
}
