import { type JsonResult, parseBoundedJson } from '../../contracts/json.ts';
import type { CaseRun, Limits } from '../../contracts/sandbox.ts';
import type { LimitKind } from '../../contracts/status.ts';
import { ProgramFault, type RunnerResult } from './runner-protocol.ts';

/** How a case came to its end, as the worker saw it. */
export type CaseEnd =
  | { kind: 'result'; result: RunnerResult }
  /** The container ended or broke the protocol; `detail` says how. */
  | { kind: 'ended'; detail: string }
  /** The worker's own clock ran out and the runner did not answer. */
  | { kind: 'overdue' }
  | { kind: 'cancelled' };

/** What the worker observed from outside about one case. */
export interface Observation {
  end: CaseEnd;
  wallMs: number;
  /** Null where the engine tells nothing. */
  cpuMs: number | null;
  oomKilled: boolean;
  tasksRefused: boolean;
}

const maxAnswerDepth = 100;

/**
 * Turns an observation into the result of a case. What the worker observed beats what the program says: first a limit
 * that was met, then the program's own words. A container that ended without a limit in sight is the platform's fault.
 */
export function decide(seen: Observation, limits: Limits): CaseRun {
  if (seen.end.kind === 'cancelled') return { kind: 'error', message: 'the case was cancelled' };
  const result = seen.end.kind === 'result' ? seen.end.result : null;
  const printed = Buffer.from(result?.log ?? '', 'base64');
  const log = readLog(printed, limits.outputBytes);
  const wallMs = seen.wallMs;
  const limit = limitMet(seen, printed.length, limits);
  if (limit !== null) return { kind: 'limit', limit, message: limitMessage(limit, limits), log, wallMs };
  if (seen.end.kind === 'ended') return { kind: 'error', message: `the sandbox ended by itself: ${seen.end.detail}` };
  if (result === null || result.end === 'unclean') return { kind: 'error', message: 'the sandbox could not start the case' };
  return { ...readAnswer(result, limits), log, wallMs };
}

/** The first cause comes first: a full memory or a refused process makes programs slow and strange afterwards. */
function limitMet(seen: Observation, printedBytes: number, limits: Limits): LimitKind | null {
  if (seen.oomKilled) return 'memory';
  if (printedBytes > limits.outputBytes) return 'output';
  if (seen.tasksRefused) return 'processes';
  if (seen.cpuMs !== null && seen.cpuMs > limits.cpuMs) return 'cpu';
  if (seen.end.kind === 'overdue' || seen.wallMs >= limits.wallMs) return 'wall';
  if (seen.end.kind === 'result' && seen.end.result.diskFull && !gaveAnswer(seen.end.result)) return 'disk';
  return null;
}

function limitMessage(limit: LimitKind, limits: Limits): string {
  const allowed: Record<LimitKind, string> = {
    cpu: `${limits.cpuMs} ms of processor time`,
    wall: `${limits.wallMs} ms of time`,
    memory: `${limits.memoryBytes} bytes of memory`,
    output: `${limits.outputBytes} bytes of printed output`,
    disk: `${limits.diskBytes} bytes or ${limits.diskInodes} files of scratch space`,
    processes: `${limits.processes} processes`,
    budget: 'its budget',
  };
  return `the program used more than ${allowed[limit]}`;
}

const gaveAnswer = (result: RunnerResult): boolean => result.end === 'answer' && Buffer.from(result.answer, 'base64')[0] === 0x41;

type Answer = { kind: 'answer'; answer: Extract<JsonResult, { ok: true }>['value'] } | Fault;
type Fault = { kind: 'fault'; code: 'program_error' | 'invalid_output' | 'early_exit'; message: string };
const invalid = (message: string): Fault => ({ kind: 'fault', code: 'invalid_output', message });

function readAnswer(result: RunnerResult, limits: Limits): Answer {
  if (result.end !== 'answer') {
    const how = result.signal === null ? `with exit code ${result.exitCode}` : `by ${result.signal}`;
    return { kind: 'fault', code: 'early_exit', message: `the program ended ${how} before it gave an answer` };
  }
  const bytes = Buffer.from(result.answer, 'base64');
  const lineEnd = bytes.indexOf(0x0a);
  const text = bytes.subarray(1, lineEnd === -1 ? bytes.length : lineEnd);
  if (bytes[0] === 0x46) return readFault(text);
  if (bytes[0] !== 0x41) return invalid('the answer channel holds something that is not an answer');
  if (text.length > limits.answerBytes) {
    return invalid(`the answer is longer than ${limits.answerBytes} bytes, the most that is accepted`);
  }
  const parsed = parseBoundedJson(text, { maxBytes: limits.answerBytes, maxDepth: maxAnswerDepth });
  return parsed.ok ? { kind: 'answer', answer: parsed.value } : invalid(`the answer ${parsed.problem}`);
}

function readFault(text: Uint8Array): Fault {
  const parsed = parseBoundedJson(text, { maxBytes: 65_536, maxDepth: 8 });
  const fault = ProgramFault.safeParse(parsed.ok ? parsed.value : null);
  if (!fault.success) return invalid('the answer channel holds something that is not an answer');
  return { kind: 'fault', code: fault.data.code, message: fault.data.message.slice(0, 2000) };
}

/** Printed bytes as text of at most `maxBytes` bytes: broken characters replaced, none cut in half, no NUL. */
function readLog(printed: Uint8Array, maxBytes: number): string {
  const text = new TextDecoder().decode(printed).replaceAll('\0', '\uFFFD');
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  return new TextDecoder().decode(bytes.subarray(0, maxBytes), { stream: true });
}
