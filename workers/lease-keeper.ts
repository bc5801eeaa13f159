import type { Logger } from 'pino';
import { leaseMs } from '../contracts/queue.ts';
import type { Db } from '../domain/db/client.ts';
import { type Lease, renew } from '../domain/leases.ts';

/** Thrown into an evaluation whose row now belongs to somebody else; the work is dropped without a trace. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
}

export interface KeptLease extends Disposable {
  /** Aborts with `LeaseLost` when the lease could not be renewed, or with the outer reason. */
  signal: AbortSignal;
}

/**
 * Renews a lease every third of its length. Losing it is not an error: the fencing token keeps whatever this worker
 * still writes out of the database, and the abort keeps it from spending more of the participant's budget.
 */
export function keepLease(db: Db, lease: Lease, outer: AbortSignal, log: Logger): KeptLease {
  const lost = new AbortController();
  let failedSince: number | null = null;
  const renewing = setInterval(() => {
    renew(db, lease).then(
      (held) => {
        failedSince = null;
        if (!held) lost.abort(new LeaseLost(`lease on ${lease.evaluationId} is held by another worker`));
      },
      (error: unknown) => {
        log.warn({ err: error, evaluationId: lease.evaluationId }, 'lease could not be renewed, trying again');
        failedSince ??= performance.now();
        if (performance.now() - failedSince > leaseMs) lost.abort(new LeaseLost('the database was out of reach for a whole lease'));
      },
    );
  }, leaseMs / 3);
  return { signal: AbortSignal.any([outer, lost.signal]), [Symbol.dispose]: () => clearInterval(renewing) };
}
