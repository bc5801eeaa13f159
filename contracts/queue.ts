import { z } from 'zod';
import { Id } from './ids.ts';

/**
 * Queue messages carry ids only: the row holds the truth and the claiming update owns correctness, so a message that
 * arrives twice, late or never is harmless (the sweeper sends it again).
 */
export const StageMessage = z.object({ evaluationId: Id });
export type StageMessage = z.infer<typeof StageMessage>;

/** What an evaluation needs from the worker that runs it. One queue per need: work no worker can do simply waits. */
export const Need = z.enum(['none', 'js', 'node', 'python']);
export type Need = z.infer<typeof Need>;

export const stages = ['screen', 'evaluate', 'verify'] as const;
export type Stage = (typeof stages)[number];

export const queueName = {
  screen: 'screen',
  verify: 'verify',
  evaluate: (need: Need) => `evaluate-${need}` as const,
};

/** Retries happen only for outcome `error`; then the row is parked for an operator. */
export const retryPolicy = { attempts: 4, firstDelayMs: 1_000, factor: 4 } as const;
/** A lease is renewed every third of this. Database time decides. */
export const leaseMs = 15_000;
/** How long an evaluation may wait for a worker that can run it before it ends as `error`. */
export const capabilityDeadlineMs = 15 * 60_000;
