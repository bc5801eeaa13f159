import { canonicalJson } from '../contracts/canonical.ts';
import type { CaseResult } from '../contracts/evaluation.ts';
import type { Lease } from '../domain/leases.ts';
import { moveTo } from '../domain/moves.ts';
import { type RecordedCall, recordCalls, recordCases, recordSplit } from '../domain/recording.ts';
import type { EvaluationSink } from '../evaluation/plan.ts';
import type { WorkerDeps } from './deps.ts';
import { LeaseLost } from './lease-keeper.ts';

/** Cases that wait for the next write; above this the evaluation waits for the database. */
const highWater = 400;
const flushEveryMs = 40;

/** A sink that keeps results in the database in batches; each batch is one fenced transaction. */
export interface RecordingSink extends EvaluationSink, AsyncDisposable {
  /** Writes what is waiting. Throws `LeaseLost` when the row is no longer ours. */
  flush(): Promise<void>;
}

export function recordingSink(deps: WorkerDeps, lease: Lease): RecordingSink {
  let cases: CaseResult[] = [];
  let calls: RecordedCall[] = [];
  let blobWrites: Promise<unknown>[] = [];
  let failure: unknown;
  let writing: Promise<void> = Promise.resolve();

  const write = async () => {
    const [caseBatch, callBatch, blobs] = [cases, calls, blobWrites];
    [cases, calls, blobWrites] = [[], [], []];
    // Texts first: a row must never point at a blob that a crash kept from being written.
    await Promise.all(blobs);
    const held = (await recordCalls(deps.db, lease, callBatch)) && (await recordCases(deps.db, lease, caseBatch));
    if (!held) throw new LeaseLost(`lease on ${lease.evaluationId} is held by another worker`);
  };
  const flush = async () => {
    writing = writing.then(async () => {
      if (failure === undefined && (cases.length > 0 || calls.length > 0)) await write();
    });
    writing.catch((error: unknown) => {
      failure ??= error;
    });
    await writing;
  };
  const timer = setInterval(() => void flush().catch(() => undefined), flushEveryMs);

  return {
    flush,
    splitStarted: async (split, count) => heldOrThrow(lease, await recordSplit(deps.db, lease, split, 'started', count)),
    splitFinished: async (split, count) => {
      await flush();
      heldOrThrow(lease, await recordSplit(deps.db, lease, split, 'finished', count));
    },
    caseFinished: async (result, texts) => {
      if (failure !== undefined) throw failure;
      cases.push(result);
      if (result.transcriptHash !== null) blobWrites.push(deps.blobs.put(Buffer.from(canonicalJson([...texts.transcript]), 'utf8')));
      if (result.logHash !== null) blobWrites.push(deps.blobs.put(Buffer.from(texts.log, 'utf8')));
      if (cases.length >= highWater) await flush();
    },
    called: (ref, exchange) => {
      calls.push({ ref, exchange });
    },
    grading: async () => {
      await flush();
      heldOrThrow(lease, await moveTo(deps.db, lease, 'grading'));
    },
    [Symbol.asyncDispose]: async () => clearInterval(timer),
  };
}

function heldOrThrow(lease: Lease, held: boolean): void {
  if (!held) throw new LeaseLost(`lease on ${lease.evaluationId} is held by another worker`);
}
