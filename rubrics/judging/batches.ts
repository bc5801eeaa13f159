import type { FaultOf } from '../../contracts/status.ts';

/** What a sentinel, or all of a batch, came to. */
export type Cleared =
  | { kind: 'clear' }
  /** The judge got a text wrong whose verdict is known, or gave no verdict on it. */
  | { kind: 'missed'; sentinel: string; reason: string }
  /** It did not answer. */
  | { kind: 'unreachable'; sentinel: string; reason: string; faultOf: FaultOf };

/** How a batch begins and goes on: its first sentinels, behind how many of them its first question is asked, and later ones. */
export interface Opening {
  sentinels: readonly (() => Promise<Cleared>)[];
  behind: number;
  /** One more for every `sentinelEvery` questions, used in this order; the last one serves no second time. */
  further: readonly (() => Promise<Cleared>)[];
}

/** The batches of one evaluation. */
export interface Batches {
  /**
   * Asks a question within the batch that is open under `key`, or opens one. Gives the answer only together with what the
   * batch's sentinels came to; null instead of an answer where they had failed before it was asked. Rejects when `ask` or
   * a sentinel throws, which is a bug.
   */
  ask<T>(key: string, open: () => Opening, ask: () => Promise<T>): Promise<{ answer: T | null; cleared: Cleared }>;
}

export const largestBatch = 16;
/** So often a question of a batch comes with one more sentinel. */
export const sentinelEvery = 4;
/** An older batch takes no more questions: its sentinels say how the judge was then. */
export const oldestBatchMs = 60_000;

interface Batch {
  questions: number;
  /** Of all sentinels up to now. */
  cleared: Promise<Cleared>;
  /** The first failure, from then on. */
  failed: Cleared | null;
  openedMs: number;
  further: Opening['further'];
}

/**
 * Theory of operation. The first question of a batch starts its first sentinels at once, itself among them at a drawn place,
 * and every question of it waits for them before its answer is let out. So no answer leaves before its judge has
 * shown, in the same minute and under the same words, that it still tells right from wrong. Every fourth question after the
 * first starts one more sentinel, and that question and all after it wait for it too: a judge that goes bad within a batch
 * is found by the next sentinel of the right kind. A miss voids every answer that has not left and all that are yet to come
 * in the batch, which cost no more money. Nothing waits for a question that has not come, so that one case at a time gets
 * through as well; for the same reason answers that have left are not taken back. `nowMs` must never go back.
 */
export function openBatches(nowMs: () => number): Batches {
  const batches = new Map<string, Batch>();
  return {
    ask: async (key, open, ask) => {
      const running = batches.get(key);
      if (running === undefined || running.questions >= largestBatch || nowMs() - running.openedMs > oldestBatchMs) {
        const { sentinels, behind, further } = open();
        const before = sentinels.slice(0, behind).map((start) => start());
        const question = ask();
        const after = sentinels.slice(behind).map((start) => start());
        const batch: Batch = { questions: 1, cleared: Promise.resolve(clear), failed: null, openedMs: nowMs(), further };
        batches.set(key, batch);
        return await released(batch, question, gatedBy(batch, [...before, ...after]));
      }
      const nth = running.questions++;
      if (running.failed !== null) return { answer: null, cleared: running.failed };
      const extra = nth % sentinelEvery === 0 ? running.further[nth / sentinelEvery - 1] : undefined;
      const gate = extra === undefined ? running.cleared : gatedBy(running, [extra()]);
      return await released(running, ask(), gate);
    },
  };
}

const clear: Cleared = { kind: 'clear' };

/** From here on the batch waits for these sentinels as well. */
function gatedBy(batch: Batch, sentinels: readonly Promise<Cleared>[]): Promise<Cleared> {
  batch.cleared = Promise.all([batch.cleared, ...sentinels]).then((all) => {
    const found = worst(all);
    if (found.kind !== 'clear') batch.failed ??= found;
    return found;
  });
  return batch.cleared;
}

async function released<T>(batch: Batch, question: Promise<T>, gate: Promise<Cleared>) {
  const [answer, cleared] = await Promise.all([question, gate]);
  return { answer, cleared: batch.failed ?? cleared };
}

/** A miss says most: what did not answer may yet be asked again. */
const worst = (all: readonly Cleared[]): Cleared =>
  all.find(({ kind }) => kind === 'missed') ?? all.find(({ kind }) => kind === 'unreachable') ?? { kind: 'clear' };
