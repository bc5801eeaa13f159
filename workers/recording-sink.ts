import { Buffer } from 'node:buffer';
import type { CaseResult } from '../contracts/evaluation.ts';
import type { Lease } from '../domain/leases.ts';
import { moveTo } from '../domain/moves.ts';
import { type RecordedCall, recordCalls, recordCases, recordSplit } from '../domain/recording.ts';
import { inTransaction } from '../domain/transaction.ts';
import type { EvaluationSink } from '../evaluation/plan.ts';
import type { WorkerDeps } from './deps.ts';
import { LeaseLost } from './lease-keeper.ts';

/** What may wait for the next write; above any of these the evaluation waits for the database. */
const highWater = { cases: 400, calls: 2_000, textCharacters: 8_388_608 };
const flushEveryMs = 40;

/**
 * A sink that keeps results in the database in batches: one write at a time, each of them one fenced transaction that
 * holds calls and results together. The first failure ends it: everything after that throws the same error. Disposing
 * it writes what still waits and never rejects; afterwards it writes nothing more.
 */
export interface RecordingSink extends EvaluationSink, AsyncDisposable {
  /** Writes what is waiting. Throws `LeaseLost` when the row is no longer ours. */
  flush(): Promise<void>;
}

interface Batch {
  cases: CaseResult[];
  calls: RecordedCall[];
  texts: Promise<void>[];
  textCharacters: number;
}

const emptyBatch = (): Batch => ({ cases: [], calls: [], texts: [], textCharacters: 0 });
const isEmpty = (batch: Batch): boolean => batch.cases.length === 0 && batch.calls.length === 0;

export function recordingSink(deps: Pick<WorkerDeps, 'db' | 'blobs' | 'log'>, lease: Lease): RecordingSink {
  let batch = emptyBatch();
  let failure: { error: unknown } | null = null;
  let writing: Promise<void> | null = null;

  // Neither of the two rejects: they may fail while nobody is waiting for them.
  const keepText = async (text: string) => {
    try {
      await deps.blobs.put(Buffer.from(text, 'utf8'));
    } catch (error) {
      failure ??= { error };
    }
  };
  const writeBatch = async () => {
    const taken = batch;
    batch = emptyBatch();
    // Texts first: a row must never point at a blob that a crash kept from being written.
    await Promise.all(taken.texts);
    if (failure !== null) return;
    try {
      await store(deps, lease, taken);
    } catch (error) {
      failure = { error };
    }
  };
  const writeOnce = (): Promise<void> => {
    writing ??= writeBatch().finally(() => {
      writing = null;
    });
    return writing;
  };
  const flush = async () => {
    while (failure === null && (writing !== null || !isEmpty(batch))) await writeOnce();
    if (failure !== null) throw failure.error;
  };
  const timer = setInterval(() => {
    if (failure === null && !isEmpty(batch)) void writeOnce();
  }, flushEveryMs);

  return {
    flush,
    splitStarted: async (split, count) => heldOrThrow(lease, await recordSplit(deps.db, lease, split, 'started', count)),
    splitFinished: async (split, count) => {
      await flush();
      heldOrThrow(lease, await recordSplit(deps.db, lease, split, 'finished', count));
    },
    caseFinished: async (result, { transcript, log }) => {
      if (failure !== null) throw failure.error;
      batch.cases.push(result);
      for (const text of [transcript, log]) {
        if (text === null) continue;
        batch.texts.push(keepText(text));
        batch.textCharacters += text.length;
      }
      const { cases, calls, textCharacters } = batch;
      if (cases.length >= highWater.cases || calls.length >= highWater.calls || textCharacters >= highWater.textCharacters) await flush();
    },
    called: (ref, exchange) => {
      batch.calls.push({ ref, exchange });
    },
    grading: async () => {
      await flush();
      heldOrThrow(lease, await moveTo(deps.db, lease, 'grading'));
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      if (failure !== null) return void (await writing);
      await flush().catch((error: unknown) => {
        deps.log.warn({ err: error, evaluationId: lease.evaluationId }, 'the last results could not be kept; their cases run again');
      });
    },
  };
}

/** All of a batch or nothing: the throw inside rolls it back. */
async function store(deps: Pick<WorkerDeps, 'db'>, lease: Lease, { calls, cases }: Batch): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    heldOrThrow(lease, await recordCalls(trx, lease, calls));
    heldOrThrow(lease, await recordCases(trx, lease, cases));
  });
}

function heldOrThrow(lease: Lease, held: boolean): void {
  if (!held) throw new LeaseLost(`the lease on ${lease.evaluationId} is not ours any more`);
}
