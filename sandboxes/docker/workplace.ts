import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { type RunnerContainer, type Started, startContainer } from './container.ts';
import type { Engine } from './engine.ts';
import { type ContainerShape, freeSlotUid } from './hardening.ts';
import type { DockerDriverOptions } from './options.ts';
import { ContainerPool } from './pool.ts';
import { showPresence } from './presence.ts';
import { reapAbandoned } from './reap.ts';

/** What one driver keeps as long as it lives: the pool, the sign that its worker lives, the clearing of what others left. */
export interface Workplace extends AsyncDisposable {
  pool: ContainerPool<RunnerContainer>;
  /** Clears now what dead workers left, and from then on every few seconds. Resolves after the first time. */
  startReaping(): Promise<void>;
}

/** Longest life of a container whose worker cannot be asked; after it any worker may remove it. */
const containerLifeMs = 6 * 3_600_000;
/** Nothing of a dead worker may survive half a minute. */
const reapEveryMs = 10_000;
const patienceMs = 5 * 60_000;

export async function workplaceOf(engine: Engine, given: DockerDriverOptions): Promise<Workplace> {
  const socketFolder = resolve(given.socketFolder);
  const presence = await showPresence(socketFolder, given.workerId);
  const mine = new Set<string>();
  const uids = new Set<number>();
  const firstSeen = new Map<string, number>();
  let starting = 0;

  const start = async (shape: ContainerShape): Promise<Started> => {
    starting += 1;
    const uid = freeSlotUid(uids);
    uids.add(uid);
    try {
      const containerId = randomBytes(8).toString('hex');
      const names = { containerId, uid, workerId: given.workerId, place: presence.place, deadlineAt: Date.now() + containerLifeMs };
      const started = await startContainer(engine, shape, names);
      if (started.ok) keep(started.container);
      else uids.delete(uid);
      return started;
    } finally {
      starting -= 1;
    }
  };
  const keep = (container: RunnerContainer) => {
    mine.add(container.id);
    void container.removed.finally(() => {
      mine.delete(container.id);
      uids.delete(container.uid);
    });
  };
  const onProblem = given.onProblem ?? (() => {});
  const pool = new ContainerPool({ bytes: given.poolBytes ?? 0, start, onProblem });
  const reaper = startReaper({
    reap: () => {
      const isMine = (id: string) => starting > 0 || mine.has(id);
      return reapAbandoned({ engine, workerId: given.workerId, socketFolder, isMine, firstSeen, patienceMs, now: Date.now(), onProblem });
    },
    onProblem,
  });
  return {
    pool,
    startReaping: reaper.start,
    [Symbol.asyncDispose]: async () => {
      await reaper.stop();
      await pool[Symbol.asyncDispose]();
      await presence[Symbol.asyncDispose]();
    },
  };
}

function startReaper({ reap, onProblem }: { reap(): Promise<unknown>; onProblem(message: string): void }) {
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  const once = () => {
    running = running.then(reap).then(
      () => {},
      // An engine that is away comes back; what is left then is cleared then.
      (error: unknown) => onProblem(`what dead workers left could not be cleared: ${(error as Error).message}`),
    );
    return running;
  };
  return {
    start: async () => {
      if (timer !== null) return;
      timer = setInterval(() => void once(), reapEveryMs);
      timer.unref();
      await once();
    },
    stop: async () => {
      if (timer !== null) clearInterval(timer);
      await running;
    },
  };
}
