import { type Json, parseBoundedJson } from '../../contracts/json.ts';
import type { Artifact, CaseRun, Limits } from '../../contracts/sandbox.ts';
import type { LimitKind } from '../../contracts/status.ts';
import { readAnswer as readAnswerText } from '../read-answer.ts';
import { type Clamped, type LimitName, limitNames } from './limits.ts';
import { readArtifacts } from './read-artifacts.ts';
import { answerExtraBytes, ProgramFault, type RunnerResult } from './runner-protocol.ts';

/** How a case came to its end, as the worker saw it. */
export type CaseEnd =
  | { kind: 'result'; result: RunnerResult }
  /** The container ended or broke the protocol; `detail` says how, `by` who brought it about. */
  | { kind: 'ended'; by: 'program' | 'platform'; detail: string }
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

/**
 * Turns an observation into the result of a case. What the worker observed beats what the program says: first a limit
 * that was met, then the program's own words. A program that brings its runner down is charged: a free retry would be
 * worth it. What ends a container from outside (engine, worker, operator) is the platform's fault, and so is a limit that
 * the operator set lower than the rubric asks.
 */
export function decide(seen: Observation, { limits, lowered }: Clamped): CaseRun {
  if (seen.end.kind === 'cancelled') return { kind: 'error', message: 'the case was cancelled' };
  const result = seen.end.kind === 'result' ? seen.end.result : null;
  const printed = Buffer.from(result?.log ?? '', 'base64');
  const log = readLog(printed, limits.outputBytes);
  const wallMs = seen.wallMs;
  const limit = limitMet(seen, printed.length, limits);
  if (limit !== null && limit !== 'budget') {
    const name = limitNames[limit].find((one) => lowered[one] !== undefined);
    if (name !== undefined) return { kind: 'error', message: loweredMessage(name, limits, lowered) };
    return { kind: 'limit', limit, message: limitMessage(limit, limits), log, wallMs };
  }
  if (seen.end.kind === 'ended') {
    const { by, detail } = seen.end;
    if (by === 'platform') return { kind: 'error', message: `the sandbox ended: ${detail}` };
    return { kind: 'fault', code: 'early_exit', message: `the program brought its sandbox down: ${detail}`, log, wallMs };
  }
  if (result === null || result.end === 'unclean') return { kind: 'error', message: 'the sandbox could not start the case' };
  const answer = readAnswer(result, limits);
  if (answer.kind === 'answer' && limits.artifacts.files > 0) return { ...answer, ...withArtifacts(result, limits, log), wallMs };
  if (lowered.answerBytes !== undefined && isTooLong(answer, limits))
    return { kind: 'error', message: loweredMessage('answerBytes', limits, lowered) };
  return { ...answer, log, wallMs };
}

const loweredMessage = (name: LimitName, limits: Limits, lowered: Clamped['lowered']): string =>
  `the rubric allows a program ${name} ${lowered[name]}, the operator of this worker only ${limits[name]}, which was met: an operator has to raise SANDBOX_MAXIMA or take the challenge away`;

/** The collected files, and in the log how many entries were left out, as far as the log has room. */
function withArtifacts(result: RunnerResult, limits: Limits, log: string): { artifacts: readonly Artifact[]; log: string } {
  const { artifacts, leftOut } = readArtifacts(result.artifacts, limits.artifacts);
  const lost = '\n[the folder artifacts was not kept: the program left processes running]\n';
  const cut = `\n[${leftOut} entries of the folder artifacts were not kept: only regular files within the rubric's bounds are]\n`;
  const note = !result.clean ? lost : leftOut === 0 ? '' : cut;
  return { artifacts, log: Buffer.byteLength(log) + note.length <= limits.outputBytes ? log + note : log };
}

/** The first cause comes first: a full memory or a refused process makes programs slow and strange afterwards. */
function limitMet(seen: Observation, printedBytes: number, limits: Limits): LimitKind | null {
  if (seen.oomKilled) return 'memory';
  if (seen.tasksRefused) return 'processes';
  if (printedBytes > limits.outputBytes) return 'output';
  if (seen.cpuMs !== null && seen.cpuMs > limits.cpuMs) return 'cpu';
  // A container that ended says nothing about time: its engine may have stood still.
  if (seen.end.kind === 'overdue' || (seen.end.kind === 'result' && seen.wallMs >= limits.wallMs)) return 'wall';
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

const tooLong = (limits: Limits): Fault => invalid(`the answer is longer than ${limits.answerBytes} bytes, the most that is accepted`);
const isTooLong = (answer: Answer, limits: Limits): boolean => answer.kind === 'fault' && answer.message === tooLong(limits).message;

type Answer = { kind: 'answer'; answer: Json } | Fault;
type Fault = { kind: 'fault'; code: 'program_error' | 'invalid_output' | 'early_exit'; message: string };
const invalid = (message: string): Fault => ({ kind: 'fault', code: 'invalid_output', message });

function readAnswer(result: RunnerResult, limits: Limits): Answer {
  const bytes = Buffer.from(result.answer, 'base64');
  if (bytes.length > limits.answerBytes + answerExtraBytes) return tooLong(limits);
  if (result.end !== 'answer') {
    const how = result.signal === null ? `with exit code ${result.exitCode}` : `by ${result.signal}`;
    return { kind: 'fault', code: 'early_exit', message: `the program ended ${how} before it gave an answer` };
  }
  const lineEnd = bytes.indexOf(0x0a);
  const text = bytes.subarray(1, lineEnd === -1 ? bytes.length : lineEnd);
  if (bytes[0] === 0x46) return readFault(text);
  if (bytes[0] !== 0x41) return invalid('the answer channel holds something that is not an answer');
  if (text.length > limits.answerBytes) return tooLong(limits);
  const parsed = readAnswerText(text, limits.answerBytes);
  return parsed.ok ? { kind: 'answer', answer: parsed.answer } : invalid(parsed.message);
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
