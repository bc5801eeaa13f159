import { rm } from 'node:fs/promises';
import type Docker from 'dockerode';
import { type Engine, within } from './engine.ts';
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
  /** How long a container that nobody can vouch for is left alone, in milliseconds. */
  graceMs: number;
  now: number;
}

/**
 * Removes what workers left that have died, and what this one lost (an engine that answered a creation too late).
 * A container goes when its worker is known to be dead (presence.ts). Where its worker cannot be asked it goes when it is
 * past its deadline, or has ended and nobody removed it for a while.
 * @returns ids of the containers that were removed
 */
export async function reapAbandoned(options: ReapOptions): Promise<string[]> {
  const { engine, socketFolder } = options;
  const filters = { label: [labels.sandbox] };
  const found = await within(engine.timeoutMs, 'list containers', engine.docker.listContainers({ all: true, filters }));
  const removed: string[] = [];
  for (const container of found) {
    if (!(await isAbandoned(container, options))) continue;
    await removeContainer(engine.docker.getContainer(container.Id), engine.timeoutMs);
    removed.push(container.Id);
  }
  for (const place of await deadPlaces(socketFolder)) await rm(place, { recursive: true, force: true });
  return removed;
}

async function isAbandoned({ Id, State, Created, Labels }: Docker.ContainerInfo, options: ReapOptions): Promise<boolean> {
  const { workerId, socketFolder, graceMs, now } = options;
  // Clocks jump: what can be asked is never judged by one.
  if (Labels[labels.worker] === workerId) return !options.isMine(Id);
  const place = Labels[labels.place];
  if (place?.startsWith(`${socketFolder}/`)) return !(await lives(place));
  if (!(Number(Labels[labels.deadline]) > now)) return true;
  const isYoung = Created * 1000 + graceMs >= now;
  return State !== 'running' && !isYoung && (await endedBefore(options, Id, now - graceMs));
}

/** True when a container is gone, never ran, or ended before `time`. */
async function endedBefore({ engine }: ReapOptions, id: string, time: number): Promise<boolean> {
  const inspected = engine.docker.getContainer(id).inspect();
  const info = await within(engine.timeoutMs, 'inspect', inspected).catch((error: { statusCode?: number }) => {
    if (error.statusCode === 404) return null;
    throw error;
  });
  if (info === null || info.State.Running) return info === null;
  // A container that never started has the year 1 here.
  return !(Date.parse(info.State.FinishedAt) >= time);
}
