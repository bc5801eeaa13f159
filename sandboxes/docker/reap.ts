import type Docker from 'dockerode';
import { removeContainer } from './container.ts';
import { within } from './engine.ts';
import { labels } from './hardening.ts';

/**
 * Removes containers whose worker died. Their processes are gone already (a runner ends with its stdin); what is left
 * is the record that an ended container keeps, and containers past their deadline whatever their state.
 * @param graceMs how long an ended or never started container may still belong to a live worker
 * @returns ids of what was removed
 */
export async function reapAbandoned(docker: Docker, graceMs: number, now: number): Promise<string[]> {
  const filters = { label: [labels.sandbox] };
  const found = await within(10_000, 'list containers', docker.listContainers({ all: true, filters }));
  const removed: string[] = [];
  for (const { Id, State, Created, Labels } of found) {
    const deadlineAt = Number(Labels[labels.deadline]);
    const expired = !(deadlineAt > now);
    const container = docker.getContainer(Id);
    const left = State !== 'running' && Created * 1000 + graceMs < now && (await endedBefore(container, now - graceMs));
    if (!expired && !left) continue;
    await removeContainer(container);
    removed.push(Id);
  }
  return removed;
}

/** True when a container is gone, never ran, or ended before `time`. */
async function endedBefore(container: Docker.Container, time: number): Promise<boolean> {
  const info = await container.inspect().catch((error: { statusCode?: number }) => {
    if (error.statusCode === 404) return null;
    throw error;
  });
  if (info === null || info.State.Running) return info === null;
  const finishedAt = Date.parse(info.State.FinishedAt);
  // A container that never started has the year 1 here.
  return !(finishedAt >= time);
}
