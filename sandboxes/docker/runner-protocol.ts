import { z } from 'zod';
import type { Limits, Task } from '../../contracts/sandbox.ts';

/** What the worker says to the runner (sandboxes/images/runner/). */
export type ToRunner =
  | { type: 'open'; nonce: string; source: string; outputBytes: number; answerBytes: number; heapMegabytes: number }
  | { type: 'case'; seq: number; task: Task; wallMs: number }
  | { type: 'stop' };

const Base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);

/**
 * What the runner says. The nonce shows that the frame comes from PID 1; everything else in it is no more than a
 * participant's claim, because a participant shapes it. Limits and deaths are decided by what the worker observed.
 */
export const FromRunner = z.discriminatedUnion('type', [
  z.strictObject({ nonce: z.string(), type: z.literal('ready') }),
  z.strictObject({
    nonce: z.string(),
    type: z.literal('result'),
    seq: z.number().int(),
    /** `answer`: one was given; `exit`: the program ended first; `stopped`: by the runner; `unclean`: it never began. */
    end: z.enum(['answer', 'exit', 'stopped', 'unclean']),
    exitCode: z.number().int().nullable(),
    signal: z.string().max(20).nullable(),
    answer: Base64,
    log: Base64,
    diskFull: z.boolean(),
    /** False when something of the case is left: the container must not run another. */
    clean: z.boolean(),
  }),
]);
export type FromRunner = z.infer<typeof FromRunner>;
export type RunnerResult = Extract<FromRunner, { type: 'result' }>;

/** What the harness in the program's own process writes: a kind, then text, then a line end. */
export const ProgramFault = z.object({ code: z.enum(['program_error', 'invalid_output']), message: z.string() });

/** Room in the answer for kind, line end and the message of a fault; the runners read that much more than the limit. */
export const answerExtraBytes = 8192;

export function maxFrameBytes(limits: Limits): number {
  return Math.ceil(((limits.outputBytes + limits.answerBytes + answerExtraBytes) * 4) / 3) + 4096;
}
