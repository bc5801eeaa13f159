import type { Limits } from '../../contracts/sandbox.ts';
import type { LimitKind } from '../../contracts/status.ts';
import type { LimitMaxima } from './options.ts';

export type LimitName = keyof LimitMaxima;

/** Which limits a case meets when it ends as this kind. */
export const limitNames: Record<Exclude<LimitKind, 'budget'>, readonly LimitName[]> = {
  cpu: ['cpuMs'],
  wall: ['wallMs'],
  memory: ['memoryBytes'],
  output: ['outputBytes', 'outputBytesPerSecond'],
  disk: ['diskBytes', 'diskInodes'],
  processes: ['processes'],
};

export interface Clamped {
  limits: Limits;
  /** What the rubric asked for where the operator allows less. */
  lowered: Partial<Record<LimitName, number>>;
}

/**
 * A rubric's limits, none above the operator's maximum. Programs that stay below both run as anywhere else; a case that
 * meets a lowered limit is our fault and not the participant's (verdict.ts), so a verdict never depends on the machine.
 */
export function clampLimits(limits: Limits, maxima: Partial<LimitMaxima>): Clamped {
  const lowered: Clamped['lowered'] = {};
  const clamped = { ...limits };
  for (const name of Object.keys(maxima) as LimitName[]) {
    const most = maxima[name];
    if (most === undefined || limits[name] <= most) continue;
    lowered[name] = limits[name];
    clamped[name] = most;
  }
  return { limits: clamped, lowered };
}
