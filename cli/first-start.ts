import { setTimeout as pause } from 'node:timers/promises';
import { SystemView } from '../contracts/api.ts';
import { paths } from '../contracts/paths.ts';

const askEveryMs = 500;

/**
 * Follows the judging of the shipped samples and reports each change. True when all are judged, false when told to stop
 * first. A request that fails is asked again: the server may be restarting.
 */
export async function followFirstStart(url: string, signal: AbortSignal, report: (done: number, of: number) => void): Promise<boolean> {
  let told = -1;
  while (!signal.aborted) {
    const progress = await ask(url, signal);
    if (progress !== null && progress.done !== told) {
      told = progress.done;
      report(progress.done, progress.of);
    }
    if (progress !== null && progress.done >= progress.of) return true;
    await pause(askEveryMs, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

async function ask(url: string, signal: AbortSignal): Promise<{ done: number; of: number } | null> {
  try {
    const reply = await fetch(new URL(paths.system, url), { signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) });
    return SystemView.parse(await reply.json()).firstStart;
  } catch {
    return null;
  }
}
