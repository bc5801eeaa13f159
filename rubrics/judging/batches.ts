import type { FaultOf } from '../../contracts/status.ts';

/** What a sentinel, or all of a batch, came to. */
export type Cleared =
  | { kind: 'clear' }
  /** The judge got a text wrong whose verdict is known, or gave no verdict on it. */
  | { kind: 'missed'; sentinel: string; reason: string }
  /** It did not answer. */
  | { kind: 'unreachable'; sentinel: string; reason: string; faultOf: FaultOf };

/** How a batch begins: its sentinels, and behind how many of them its first question is asked. */
export interface Opening {
  sentinels: readonly (() => Promise<Cleared>)[];
  behind: number;
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

interface Batch {
  questions: number;
  cleared: Promise<Cleared>;
  known: Cleared | null;
}

/**
 * Theory of operation. The first question of a batch starts all sentinels of it at once, itself among them at a drawn place,
 * and every question of it waits for them before its answer is let out. So no answer leaves before its judge has
 * shown, in the same minute and under the same words, that it still tells right from wrong; and nothing waits for a
 * question that has not come, so that one case at a time gets through as well. A batch that failed answers the rest of
 * its questions at once, without asking for more money.
 */
export function openBatches(): Batches {
  const batches = new Map<string, Batch>();
  return {
    ask: async (key, open, ask) => {
      const running = batches.get(key);
      if (running !== undefined && running.questions < largestBatch) {
        running.questions++;
        if (running.known !== null && running.known.kind !== 'clear') return { answer: null, cleared: running.known };
        const [answer, cleared] = await Promise.all([ask(), running.cleared]);
        return { answer, cleared };
      }
      const { sentinels, behind } = open();
      const before = sentinels.slice(0, behind).map((start) => start());
      const question = ask();
      const after = sentinels.slice(behind).map((start) => start());
      const batch: Batch = { questions: 1, cleared: Promise.all([...before, ...after]).then(worst), known: null };
      batches.set(key, batch);
      const [answer, cleared] = await Promise.all([
        question,
        batch.cleared.then((found) => {
          batch.known = found;
          return found;
        }),
      ]);
      return { answer, cleared };
    },
  };
}

/** A miss says most: what did not answer may yet be asked again. */
const worst = (all: readonly Cleared[]): Cleared =>
  all.find(({ kind }) => kind === 'missed') ?? all.find(({ kind }) => kind === 'unreachable') ?? { kind: 'clear' };
