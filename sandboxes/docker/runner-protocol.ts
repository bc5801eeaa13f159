import { z } from 'zod';
import type { CaseIsolation, Limits, Task } from '../../contracts/sandbox.ts';

/** What holds for every case of a container; given to the runner before any program is there. */
export interface RunnerSettings {
  kind: 'python' | 'node' | 'image';
  /** The program's user and group; no other container of this machine has the same. */
  uid: number;
  /** What an image's program is started with; empty for the others. */
  command: readonly string[];
  environment: Readonly<Record<string, string>>;
  cases: CaseIsolation;
  outputBytes: number;
  outputBytesPerSecond: number;
  answerBytes: number;
  openFiles: number;
  heapMegabytes: number;
  artifacts: Limits['artifacts'];
}

/** What the worker says to the runner (sandboxes/images/runner/). */
export type ToRunner =
  | ({ type: 'hello'; nonce: string } & RunnerSettings)
  | { type: 'open'; files: readonly { path: string; data: string }[] }
  | { type: 'case'; seq: number; task: Task; wallMs: number }
  | { type: 'stop' };

const Base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);

/**
 * What the runner says. The nonce shows that the frame comes from PID 1; everything else in it is no more than a
 * participant's claim, because a participant shapes it. Limits and deaths are decided by what the worker observed.
 */
export const FromRunner = z.discriminatedUnion('type', [
  z.strictObject({ nonce: z.string(), type: z.literal('warm') }),
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
    /** JSON text of the collected files (`read-artifacts.ts`); null when none were asked for. */
    artifacts: z.string().nullable(),
    /** False when something of the case is left: the container must not run another. */
    clean: z.boolean(),
  }),
]);
export type FromRunner = z.infer<typeof FromRunner>;
export type RunnerResult = Extract<FromRunner, { type: 'result' }>;

/** What the harness in the program's own process writes: a kind, then text, then a line end. */
export const ProgramFault = z.object({ code: z.enum(['program_error', 'invalid_output']), message: z.string() });

/** Room in the answer for kind, line end and the message of a fault; the runner reads that much more than the limit. */
export const answerExtraBytes = 8192;
const longestArtifactPath = 256;

export function maxFrameBytes(limits: Limits): number {
  const { files, bytes } = limits.artifacts;
  // The artifacts' base64 stands in JSON text inside JSON: no character of it needs an escape.
  const texts = limits.outputBytes + limits.answerBytes + answerExtraBytes + (files === 0 ? 0 : bytes);
  return Math.ceil((texts * 4) / 3) + files * longestArtifactPath * 2 + 8192;
}
