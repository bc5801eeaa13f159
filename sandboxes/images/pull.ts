import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { z } from 'zod';
import { engineProblem } from '../docker/engine.ts';
import { type Failure, participant, platform } from './registry.ts';

/** Layers were read in full shortly before, so a pull that takes longer hangs. */
const pullMs = 300_000;
/** The engine reports progress a few times per second and layer. */
const maxReportBytes = 33_554_432;

const Report = z.object({ error: z.string().optional() });

/**
 * Lets the engine pull an image by digest. What a participant can get wrong was looked at before, but for layers that only an
 * unpacking engine finds to be impossible (a link to nothing, a file as a folder): those are the participant's. Any other
 * failure is the platform's: the engine lacks disk, network or goodwill.
 */
export async function pullImage(docker: Docker, reference: string, signal: AbortSignal): Promise<{ ok: true } | Failure> {
  const timed = AbortSignal.any([signal, AbortSignal.timeout(pullMs)]);
  try {
    // dockerode's types know the answer only as a stream of some kind; it is an HTTP response.
    const answer = (await docker.pull(reference, { abortSignal: timed })) as NodeJS.ReadableStream as Readable;
    const error = await lastError(answer, timed);
    if (error === null) return { ok: true };
    const words = `the engine could not pull the image: ${error}`;
    return isBadArchive(error) ? participant(`${words}. Build and push it again with a common tool.`) : platform(words);
  } catch (error) {
    if (signal.aborted) return platform('the evaluation was ended while its image was pulled');
    if (timed.aborted) return platform(`the engine did not pull the image within ${pullMs / 1000} seconds`);
    return platform(`the engine could not pull the image: ${engineProblem(error)}`);
  }
}

/** The engine names the step in which it failed; a full or broken disk fails in the same step and is ours. */
const isBadArchive = (error: string): boolean =>
  /failed to register layer|Error processing tar file|invalid tar header/i.test(error) &&
  !/no space left|quota|input\/output error|read-only file system|too many open files|cannot allocate/i.test(error);

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
