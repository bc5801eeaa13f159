import type { WorkerDoctor } from '../contracts/doctor.ts';
import type { Need } from '../contracts/queue.ts';
import { heartbeat, removeWorker } from '../domain/workers.ts';
import { type Offer, offerOf, type Seen } from './sandbox-drivers.ts';
import type { StageOptions } from './stages.ts';

const heartbeatEveryMs = 5_000;
/** Probing drivers costs an engine call; a new engine or image is noticed within this time. */
const probeEveryMs = 30_000;

export interface BeatingOptions extends Pick<StageOptions, 'deps' | 'stages' | 'name'> {
  /** Begins to take the work of a need. */
  serve(need: Need, stillOffered: () => boolean): Promise<AsyncDisposable>;
}

/**
 * Says every few seconds that this worker is alive and what it can do. An evaluating worker consumes one queue per need
 * it can serve, and goes on looking for needs that become available or go away: an engine that was started, checks that
 * ended or that now fail. Images that were built meanwhile are read at the next start. Resolves after the first time.
 */
export async function startBeating({ deps, stages, name, serve }: BeatingOptions): Promise<AsyncDisposable> {
  const { doctor, log } = deps;
  const evaluates = stages.includes('evaluate');
  const serving = new Map<Need, AsyncDisposable>();
  const closing = new Set<Promise<void>>();
  let seen: Seen[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;
  let offer: Offer = { needs: [], unavailable: [] };
  let shown: WorkerDoctor | null = null;
  let stopped = false;

  const look = async () => {
    if (performance.now() - lookedAt > probeEveryMs) {
      seen = await Promise.all(deps.sandboxes.map(async (driver) => ({ driver, state: await driver.probe() })));
      lookedAt = performance.now();
    }
    doctor.engineSeen(seen.some(({ driver, state }) => driver.name === 'docker' && state.available));
    offer = offerOf(seen, { standing: doctor.standing(), gvisorWorks: doctor.gvisorWorks() });
    // Taken together: a report must never stand beside an offer that was made without it.
    shown = doctor.shown();
  };
  const takeBack = (need: Need, consumer: AsyncDisposable) => {
    serving.delete(need);
    // Not waited for: it ends when what it runs has ended, and the heartbeat must go on until then.
    const closed = Promise.resolve(consumer[Symbol.asyncDispose]())
      .catch((error: unknown) => log.warn({ err: error, need }, 'a queue could not be left in order'))
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };
  const beat = async () => {
    if (evaluates) await look();
    for (const [need, consumer] of serving) if (!offer.needs.includes(need)) takeBack(need, consumer);
    for (const need of offer.needs) {
      if (stopped || serving.has(need)) continue;
      serving.set(need, await serve(need, () => offer.needs.includes(need)));
    }
    await heartbeat(deps.db, { id: deps.workerId, name, stages, needs: offer.needs, unavailable: offer.unavailable, doctor: shown });
  };

  await beat();
  let beating: Promise<void> = Promise.resolve();
  const beatAgain = () => {
    if (stopped) return;
    beating = beating.then(beat).catch((error: unknown) => log.warn({ err: error }, 'heartbeat failed, the next one tries again'));
  };
  const timer = setInterval(beatAgain, heartbeatEveryMs);
  doctor.onChange(beatAgain);
  return {
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      clearInterval(timer);
      await beating;
      await Promise.all([...[...serving.values()].map((consumer) => consumer[Symbol.asyncDispose]()), ...closing]);
      await removeWorker(deps.db, deps.workerId);
    },
  };
}
