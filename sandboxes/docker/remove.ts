import { setTimeout as pause } from 'node:timers/promises';
import type Docker from 'dockerode';
import { within } from './engine.ts';

const removalPausesMs = [20, 50, 100, 200, 400, 800, 1_600];

/**
 * Kills and removes a container with its anonymous volumes; one that is gone already is fine. An engine that is still
 * writing down how the container ended answers 500 ("directory not empty") or 409 ("removal in progress"): measured
 * on Engine 20.10, most often when a container dies by itself while it is removed. The next try then succeeds, as it does
 * after a kept connection that the engine had closed.
 */
export async function removeContainer(container: Docker.Container, timeoutMs: number): Promise<void> {
  for (const pauseMs of [...removalPausesMs, null]) {
    try {
      return await within(timeoutMs, 'remove a container', container.remove({ force: true, v: true }));
    } catch (error) {
      const { statusCode, code } = error as { statusCode?: number; code?: string };
      if (statusCode === 404) return;
      const passes = statusCode === 409 || statusCode === 500 || code === 'ECONNRESET';
      if (pauseMs === null || !passes) throw error;
      await pause(pauseMs);
    }
  }
}
