import { Buffer } from 'node:buffer';
import type { CaseResult } from '../contracts/evaluation.ts';
import { smallBlobBytes } from '../domain/blobs/blobs.ts';
import type { Lease } from '../domain/leases.ts';
import { moveTo } from '../domain/moves.ts';
import { type RecordedCall, recordCalls, recordCases, recordSandbox, recordSplit } from '../domain/recording.ts';
import { inTransaction } from '../domain/transaction.ts';
import type { EvaluationSink } from '../evaluation/plan.ts';
import type { WorkerDeps } from './deps.ts';
import type { DoctorKeeper } from './doctor-keeper.ts';
import { LeaseLost } from './lease-keeper.ts';

/** What may wait for the next write; above any of these the evaluation waits for the database. */
const highWater = { cases: 400, calls: 2_000, blobBytes: 8_388_608 };
const flushEveryMs = 100;

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
  /** Transcripts, logs, answers and artifacts: small ones are stored with the results, large ones are on their way to their files. */
  small: Uint8Array[];
  large: Promise<void>[];
  blobBytes: number;
}

const emptyBatch = (): Batch => ({ cases: [], calls: [], small: [], large: [], blobBytes: 0 });
const isEmpty = (batch: Batch): boolean => batch.cases.length === 0 && batch.calls.length === 0;

type SinkDeps = Pick<WorkerDeps, 'db' | 'blobs' | 'log'> & { doctor: Pick<DoctorKeeper, 'facts'> };

export function recordingSink(deps: SinkDeps, lease: Lease): RecordingSink {
  let batch = emptyBatch();
  let failure: { error: unknown } | null = null;
  let writing: Promise<void> | null = null;

  // Neither of the two rejects: they may fail while nobody is waiting for them.
  const keepBlob = async (bytes: Uint8Array) => {
    try {
      await deps.blobs.put(bytes);
    } catch (error) {
      failure ??= { error };
    }
  };
  const writeBatch = async () => {
    const taken = batch;
    batch = emptyBatch();
    // Files first: a row must never point at a blob that a crash kept from being written.
    await Promise.all(taken.large);
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
    sandboxOpened: async (split, environment) => {
      const { engineVersion, acceptedRisks } = await deps.doctor.facts(environment);
      const record = { split, workerId: lease.workerId, ...environment, engineVersion, acceptedRisks: [...acceptedRisks] };
      heldOrThrow(lease, await recordSandbox(deps.db, lease, record));
    },
    caseFinished: async (result, { transcript, log, answer, artifacts }) => {
      if (failure !== null) throw failure.error;
      batch.cases.push(result);
      const texts = [transcript, log, answer].flatMap((text) => (text === null ? [] : [Buffer.from(text, 'utf8')]));
      for (const bytes of [...texts, ...artifacts]) {
        if (bytes.byteLength > smallBlobBytes) batch.large.push(keepBlob(bytes));
        else batch.small.push(bytes);
        batch.blobBytes += bytes.byteLength;
      }
      const { cases, calls, blobBytes } = batch;
      if (cases.length >= highWater.cases || calls.length >= highWater.calls || blobBytes >= highWater.blobBytes) await flush();
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
async function store(deps: Pick<WorkerDeps, 'db' | 'blobs'>, lease: Lease, { calls, cases, small }: Batch): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    heldOrThrow(lease, await recordCalls(trx, lease, calls));
    heldOrThrow(lease, await recordCases(trx, lease, cases));
    await deps.blobs.putSmall(trx, small);
  });
}

function heldOrThrow(lease: Lease, held: boolean): void {
  if (!held) throw new LeaseLost(`the lease on ${lease.evaluationId} is not ours any more`);
}
