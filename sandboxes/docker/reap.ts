import { rm } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type Docker from 'dockerode';
import { type Engine, engineProblem, within } from './engine.ts';
import { labels } from './hardening.ts';
import { deadPlaces, lives } from './presence.ts';
import { removeContainer } from './remove.ts';

export interface ReapOptions {
  engine: Engine;
  workerId: string;
  /** This worker's folder for sockets, in which the places of other workers lie. */
  socketFolder: string;
  /** Does this worker still use the container, or might it be one that is being made. */
  isMine(id: string): boolean;
  /** When this worker first saw containers that it cannot ask about, by its monotonic clock; kept from one call to the next. */
  firstSeen: Map<string, number>;
  /** How long such a container is left alone by the same clock, whatever other clocks say, in milliseconds. */
  patienceMs: number;
  now: number;
  onProblem(message: string): void;
}

/** Removal is quick or does not happen; there may be many. */
const removalMs = 5_000;

/**
 * Removes what workers left that have died, and what this one lost (an engine that answered a creation too late).
 * A container goes when its worker is known to be dead (presence.ts). Where its worker cannot be asked it goes when it has
 * ended or is past its deadline, and this worker has seen that for some minutes: the deadline was written by another clock.
 * @returns ids of the containers that were removed
 */
export async function reapAbandoned(options: ReapOptions): Promise<string[]> {
  const { engine, socketFolder } = options;
  const filters = { label: [labels.sandbox] };
  const found = await within(engine.timeoutMs, 'list containers', engine.docker.listContainers({ all: true, filters }));
  const removed: string[] = [];
  const ids = new Set(found.map(({ Id }) => Id));
  for (const id of options.firstSeen.keys()) if (!ids.has(id)) options.firstSeen.delete(id);
  for (const container of found) {
    if (!(await isAbandoned(container, options))) continue;
    // One that cannot be removed (an engine that hangs on it) must not keep the others from going.
    try {
      await removeContainer(engine.docker.getContainer(container.Id), Math.min(removalMs, engine.timeoutMs));
      removed.push(container.Id);
    } catch (error) {
      options.onProblem(`container ${container.Id.slice(0, 12)} of a dead worker cannot be removed: ${engineProblem(error)}`);
    }
  }
  for (const place of await deadPlaces(socketFolder)) await rm(place, { recursive: true, force: true });
  return removed;
}

async function isAbandoned({ Id, State, Labels }: Docker.ContainerInfo, options: ReapOptions): Promise<boolean> {
  const { workerId, socketFolder, firstSeen, patienceMs, now } = options;
  // Clocks jump: what can be asked is never judged by one.
  if (Labels[labels.worker] === workerId) return !options.isMine(Id);
  const place = Labels[labels.place];
  if (place?.startsWith(`${socketFolder}/`)) return !(await lives(place));
  const seenAt = firstSeen.get(Id) ?? performance.now();
  firstSeen.set(Id, seenAt);
  if (performance.now() - seenAt < patienceMs) return false;
  return State !== 'running' || !(Number(Labels[labels.deadline]) > now);
}
