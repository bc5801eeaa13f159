import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { z } from 'zod';
import { engineProblem } from '../docker/engine.ts';
import { type Failure, platform } from './registry.ts';

/** Layers were read in full shortly before, so a pull that takes longer hangs. */
const pullMs = 300_000;
/** The engine reports progress a few times per second and layer. */
const maxReportBytes = 33_554_432;

const Report = z.object({ error: z.string().optional() });

/**
 * Lets the engine pull an image by digest. Every failure is the platform's: what a participant can get wrong was
 * looked at before, so an engine that fails now lacks disk, network or goodwill.
 */
export async function pullImage(docker: Docker, reference: string, signal: AbortSignal): Promise<{ ok: true } | Failure> {
  const timed = AbortSignal.any([signal, AbortSignal.timeout(pullMs)]);
  try {
    // dockerode's types know the answer only as a stream of some kind; it is an HTTP response.
    const answer = (await docker.pull(reference, { abortSignal: timed })) as NodeJS.ReadableStream as Readable;
    const error = await lastError(answer, timed);
    return error === null ? { ok: true } : platform(`the engine could not pull the image: ${error}`);
  } catch (error) {
    if (signal.aborted) return platform('the evaluation was ended while its image was pulled');
    if (timed.aborted) return platform(`the engine did not pull the image within ${pullMs / 1000} seconds`);
    return platform(`the engine could not pull the image: ${engineProblem(error)}`);
  }
}

async function lastError(answer: Readable, signal: AbortSignal): Promise<string | null> {
  const stop = () => answer.destroy(new Error('aborted'));
  signal.addEventListener('abort', stop, { once: true });
  let rest = '';
  let received = 0;
  let problem: string | null = null;
  try {
    for await (const part of answer) {
      received += (part as Buffer).length;
      if (received > maxReportBytes) throw new Error('it reports without end');
      const lines = (rest + String(part)).split('\n');
      rest = lines.pop() ?? '';
      problem = lines.reduce<string | null>((found, line) => errorIn(line) ?? found, problem);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    answer.destroy();
  }
  return errorIn(rest) ?? problem;
}

function errorIn(line: string): string | null {
  try {
    return Report.parse(JSON.parse(line)).error?.slice(0, 500) ?? null;
  } catch {
    return null;
  }
}
