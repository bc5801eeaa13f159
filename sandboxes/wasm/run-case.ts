import { performance } from 'node:perf_hooks';
import type { CaseRun, Limits, ModelDoor, Task } from '../../contracts/sandbox.ts';
import type { LimitKind } from '../../contracts/status.ts';
import { readAnswer } from '../read-answer.ts';
import type { Child } from './child-process.ts';
import { cutMessage, type FromChild, type OutcomeFrame } from './frames.ts';
import { observe } from './observe.ts';
import { callRelay } from './relay-calls.ts';

/** How often the worker looks at the child's CPU time and memory. */
const watchMs = 20;
/**
 * What Node itself may take in the child beside the program's memory: 100 MB after some hundred small cases, 200 MB
 * when each touches 8 MB that is not collected yet. A backstop; WebAssembly's maximum is the bound.
 */
const hostBytes = 335_544_320;

export interface CaseOptions {
  source: string;
  limits: Limits;
  door: ModelDoor;
}

/** How a case ended, before log and time are added. */
type End =
  | { kind: 'outcome'; frame: OutcomeFrame }
  | { kind: 'limit'; limit: LimitKind; message: string }
  | { kind: 'error'; message: string };

/**
 * Runs one case in a child that is idle. The worker's own clocks and counts decide about limits. Unless the case
 * ended with an answer or a fault the child must not be used again; the caller kills it.
 */
export async function runCase(child: Child, task: Task, options: CaseOptions, signal: AbortSignal): Promise<CaseRun> {
  const { limits } = options;
  const log = boundedLog(limits.outputBytes);
  const calls = new AbortController();
  const baseCpuMs = observe(child.pid)?.cpuMs ?? 0;
  const startedAt = performance.now();
  const relay = callRelay(child, task, options.door, calls.signal);
  const watch = () => overLimit(child, limits, baseCpuMs, startedAt);
  const timers: NodeJS.Timeout[] = [];
  const end = await new Promise<End>((resolve) => {
    const frame = (received: FromChild) => {
      if (received.type === 'log') {
        if (!log.add(received.text))
          resolve({ kind: 'limit', limit: 'output', message: `the program printed more than ${limits.outputBytes} bytes` });
      } else if (received.type === 'chat') relay(received, (message) => resolve({ kind: 'error', message }));
      else if (received.type === 'ready') resolve({ kind: 'error', message: 'the sandbox process spoke out of turn' });
      else resolve(watch() ?? { kind: 'outcome', frame: received });
    };
    child.listen({
      frame,
      ended: (why) => resolve(watch() ?? { kind: 'error', message: `the sandbox process failed: ${cutMessage(why)}` }),
    });
    const tick = () => {
      const over = watch();
      if (over) resolve(over);
    };
    timers.push(setInterval(tick, watchMs), setTimeout(tick, limits.wallMs + 1));
    const stop = () => resolve({ kind: 'error', message: 'the case was stopped before it ended' });
    signal.addEventListener('abort', stop, { once: true, signal: calls.signal });
    if (signal.aborted) stop();
    const { wallMs, memoryBytes, outputBytes, answerBytes } = limits;
    child.send({
      type: 'case',
      id: task.id,
      task: JSON.stringify(task),
      source: options.source,
      wallMs,
      memoryBytes,
      outputBytes,
      answerBytes,
    });
  });
  for (const timer of timers) clearTimeout(timer);
  child.listen(null);
  calls.abort();
  return conclude(end, limits, log.text(), performance.now() - startedAt);
}

function conclude(end: End, limits: Limits, log: string, wallMs: number): CaseRun {
  if (end.kind === 'error') return end;
  if (end.kind === 'limit') return { ...end, log, wallMs };
  const { frame } = end;
  if (frame.type === 'memory') return { kind: 'limit', limit: 'memory', message: frame.message, log, wallMs };
  if (frame.type === 'stopped') return { kind: 'error', message: 'the sandbox process stopped the case before its time' };
  if (frame.type === 'fault') return { kind: 'fault', code: frame.code, message: frame.message, log, wallMs };
  const read = readAnswer(frame.text, limits.answerBytes);
  if (!read.ok) return { kind: 'fault', code: 'invalid_output', message: read.message, log, wallMs };
  return { kind: 'answer', answer: read.answer, log, wallMs };
}

function overLimit(child: Child, limits: Limits, baseCpuMs: number, startedAt: number): End | null {
  const seen = observe(child.pid);
  const cpuMs = (seen?.cpuMs ?? 0) - baseCpuMs;
  if (cpuMs >= limits.cpuMs) return { kind: 'limit', limit: 'cpu', message: `the program used more than ${limits.cpuMs} ms of CPU time` };
  if (performance.now() - startedAt >= limits.wallMs) {
    return { kind: 'limit', limit: 'wall', message: `the program did not finish within ${limits.wallMs} ms` };
  }
  if ((seen?.residentBytes ?? 0) > limits.memoryBytes + hostBytes) {
    return { kind: 'limit', limit: 'memory', message: `the program needs more than ${limits.memoryBytes} bytes of memory` };
  }
  return null;
}

/** Keeps the first bytes that fit; `add` says whether all did. */
function boundedLog(maxBytes: number): { add(text: string): boolean; text(): string } {
  const kept: Buffer[] = [];
  let bytes = 0;
  return {
    add(text) {
      const chunk = Buffer.from(text);
      kept.push(chunk.subarray(0, maxBytes - bytes));
      bytes = Math.min(maxBytes, bytes + chunk.byteLength);
      return kept.at(-1)!.byteLength === chunk.byteLength;
    },
    // In stream mode a character that was cut in half is left out instead of replaced by a longer one.
    text: () => new TextDecoder().decode(Buffer.concat(kept), { stream: true }),
  };
}
