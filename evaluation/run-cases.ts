import { type CaseSetting, type FinishedCase, runCase } from './run-case.ts';
import type { PlannedCase } from './plan.ts';
import { type Stop, stopOf } from './stop.ts';

/**
 * Runs cases, `concurrency` at a time, until all are done or one cannot be a result. After that no case begins; those
 * that are running finish and are kept, because they are paid for and the next attempt need not run them again.
 *
 * An abort, or a sink that throws (the lease is lost), ends the running ones at once. Either way nothing of a case is
 * still going on when this returns or rejects, so nothing can reach the sink or the targets afterwards.
 */
export async function runCases(
  planned: readonly PlannedCase[],
  concurrency: number,
  setting: CaseSetting,
  keep: (finished: FinishedCase) => Promise<void>,
): Promise<Stop | null> {
  let stop: Stop | null = null;
  const halt = new AbortController();
  const signal = AbortSignal.any([setting.signal, halt.signal]);
  let next = 0;
  const lane = async () => {
    while (stop === null && next < planned.length) {
      const one = planned[next++]!;
      signal.throwIfAborted();
      const finished = await runCase(one, { ...setting, signal });
      const problem = stopOf(finished.result, finished.transcript);
      if (problem === null) await keep(finished);
      else stop ??= problem;
    }
  };
  const guarded = async () => {
    try {
      await lane();
    } catch (error) {
      // The first reason stays: the lanes it stops throw it again.
      halt.abort(error);
      throw error;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(concurrency, planned.length) }, guarded));
  setting.signal.throwIfAborted();
  if (ends.some((end) => end.status === 'rejected')) throw halt.signal.reason;
  return stop;
}
