import type { Task } from '../../contracts/sandbox.ts';
import type { RunnerContainer } from './container.ts';
import { engineProblem } from './engine.ts';
import type { Counters } from './meter.ts';
import type { CaseEnd } from './verdict.ts';

/** After the limit of a case: the time in which the runner must have stopped it, before the container is killed. */
const stopMs = 1_000;

export interface Conversation {
  end: CaseEnd;
  /** The counters at the last look; all there is when the container is gone and its counters with it. */
  last: Counters;
}

/** Runs one case under the worker's own clock and counters; ends with whatever happens first. */
export async function converse(container: RunnerContainer, task: Task, before: Counters, signal: AbortSignal): Promise<Conversation> {
  const outcome = Promise.withResolvers<CaseEnd>();
  const cancel = () => outcome.resolve({ kind: 'cancelled' });
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  const overdue = setTimeout(() => outcome.resolve({ kind: 'overdue' }), container.limits.wallMs + stopMs);
  const watching = new AbortController();
  const seen = { last: before };
  const watched = watch(container, before, watching.signal, seen, () => outcome.resolve({ kind: 'overdue' })).catch((error: unknown) =>
    outcome.resolve({ kind: 'ended', by: 'platform', detail: `its counters cannot be read: ${engineProblem(error)}` }),
  );
  try {
    container.exchange(task).then(outcome.resolve, outcome.reject);
    return { end: await outcome.promise, last: seen.last };
  } finally {
    clearTimeout(overdue);
    watching.abort();
    signal.removeEventListener('abort', cancel);
    container.stopAwaiting();
    await watched;
  }
}

/** Tells the runner to stop the case as soon as a limit is seen to be met, and gives up when it does not. */
async function watch(
  container: RunnerContainer,
  before: Counters,
  signal: AbortSignal,
  seen: { last: Counters },
  giveUp: () => void,
): Promise<void> {
  const { pollMs } = container;
  if (pollMs === null || before.cpuMs === null) return;
  while (await passed(pollMs, signal)) {
    const now = await container.count();
    if (now.cpuMs === null) continue;
    seen.last = now;
    const overCpu = now.cpuMs - before.cpuMs > container.limits.cpuMs;
    if (!overCpu && !grew(before.oomKills, now.oomKills) && !grew(before.refusedTasks, now.refusedTasks)) continue;
    container.send({ type: 'stop' });
    if (await passed(stopMs, signal)) giveUp();
    return;
  }
}

const grew = (before: number | null, after: number | null): boolean => before !== null && after !== null && after > before;

/** True after `ms`, false as soon as the signal aborts. */
function passed(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const stop = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve(true);
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
