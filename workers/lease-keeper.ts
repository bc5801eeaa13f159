import type { Logger } from 'pino';
import { leaseMs } from '../contracts/queue.ts';
import type { Db } from '../domain/db/client.ts';
import { type Lease, renew } from '../domain/leases.ts';

/** Thrown into an evaluation whose row now belongs to somebody else; the work is dropped without a trace. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
}

export interface KeptLease extends Disposable {
  /** Aborts with `LeaseLost` when the lease was lost or could not be renewed in time, or with the outer reason. */
  signal: AbortSignal;
}

/**
 * Renews a lease every third of its length. Losing it is not an error: the fencing token keeps whatever this worker
 * still writes out of the database, and the abort keeps it from spending more of the participant's budget.
 *
 * The lease counts as lost when its length has passed since the last renewal that worked was asked for, whatever became
 * of the later ones: a database that does not answer at all must not keep a worker going, and a worker that was
 * stopped for a while must not have to ask before it gives up. This clock only stops work; what may be
 * written is decided by the database's clock alone.
 */
export function keepLease(db: Db, lease: Lease, outer: AbortSignal, log: Logger): KeptLease {
  const lost = new AbortController();
  let goodUntil = performance.now() + leaseMs;
  const renewOnce = async () => {
    const askedAt = performance.now();
    if (askedAt >= goodUntil) return lost.abort(new LeaseLost(`the lease on ${lease.evaluationId} was not renewed in time`));
    try {
      if (await renew(db, lease)) goodUntil = Math.max(goodUntil, askedAt + leaseMs);
      else lost.abort(new LeaseLost(`the lease on ${lease.evaluationId} is not ours any more`));
    } catch (error) {
      log.warn({ err: error, evaluationId: lease.evaluationId }, 'lease could not be renewed, trying again');
    }
  };
  const renewing = setInterval(() => void renewOnce(), leaseMs / 3);
  return { signal: AbortSignal.any([outer, lost.signal]), [Symbol.dispose]: () => clearInterval(renewing) };
}
