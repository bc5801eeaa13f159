import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../../contracts/json.ts';
import type { CaseRun, Limits } from '../../../contracts/sandbox.ts';
import type { Expectation } from './attack.ts';

export interface Ended {
  run: CaseRun;
  /** As the caller of the sandbox waited for it. */
  tookMs: number;
}

/** How much later than its limit a case may end: the kill, and a busy machine of two cores. */
const graceMs = 2_000;

/** What did not happen as it must; empty when all did. */
export function judge({ run, tookMs }: Ended, expect: Expectation, limits: Limits, earlier: readonly Ended[]): string[] {
  const problems: string[] = [];
  const must = (ok: boolean, problem: string) => {
    if (!ok) problems.push(problem);
  };
  const text = stored(run);
  must(expect.kind.includes(run.kind), `ended as ${shortly(run)}, expected ${expect.kind.join(' or ')}`);
  if (run.kind === 'limit' && expect.limit) must(expect.limit.includes(run.limit), `met limit ${run.limit}, expected ${expect.limit}`);
  if (run.kind === 'fault' && expect.code) must(expect.code.includes(run.code), `fault ${run.code}, expected ${expect.code}`);
  if (run.kind !== 'answer' && expect.message) must(expect.message.test(run.message), `message ${JSON.stringify(run.message)}`);
  if (run.kind === 'answer') problems.push(...ofAnswer(run, expect, earlier));
  if (run.kind !== 'error' && expect.log) must(expect.log.test(run.log), `log ${JSON.stringify(run.log.slice(0, 300))}`);
  for (const pattern of expect.lacks) must(!pattern.test(text), `left something that matches ${pattern}`);
  const mostMs = expect.withinMs ?? limits.wallMs + graceMs;
  must(tookMs <= mostMs, `took ${Math.round(tookMs)} ms, at most ${mostMs} ms are allowed`);
  return [...problems, ...unbounded(run, limits)];
}

function ofAnswer(run: Extract<CaseRun, { kind: 'answer' }>, expect: Expectation, earlier: readonly Ended[]): string[] {
  const problems: string[] = [];
  const other = (index: number): Json | undefined => {
    const before = earlier[index]?.run;
    return before?.kind === 'answer' ? before.answer : undefined;
  };
  const shown = JSON.stringify(run.answer).slice(0, 600);
  if (expect.answer !== undefined && !isDeepStrictEqual(run.answer, expect.answer)) problems.push(`answer ${shown}`);
  if (expect.sameAs !== undefined && !isDeepStrictEqual(run.answer, other(expect.sameAs))) problems.push(`another answer: ${shown}`);
  if (expect.differsFrom !== undefined && isDeepStrictEqual(run.answer, other(expect.differsFrom))) problems.push(`same answer: ${shown}`);
  const leaves = leavesOf(run.answer, '');
  if (leaves.length < (expect.leaves ?? 0)) problems.push(`answer has ${leaves.length} results, expected ${expect.leaves}: ${shown}`);
  const wrong = leaves.filter(({ value }) => expect.each !== undefined && !expect.each.test(value));
  for (const { path, value } of wrong.slice(0, 8)) problems.push(`${path}: ${value.slice(0, 200)}`);
  const paths = (run.artifacts ?? []).map(({ path }) => path).sort();
  if (expect.artifacts && !isDeepStrictEqual(paths, expect.artifacts)) problems.push(`artifacts ${JSON.stringify(paths).slice(0, 300)}`);
  return problems;
}

function leavesOf(value: Json, path: string): { path: string; value: string }[] {
  if (typeof value !== 'object' || value === null) return [{ path, value: String(value) }];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner as Json, path === '' ? key : `${path}.${key}`));
}

/** Nothing that is kept of a case may be larger than its rubric allows, or of a form that cannot be stored. */
function unbounded(run: CaseRun, limits: Limits): string[] {
  if (run.kind === 'error') return [];
  const problems: string[] = [];
  const logBytes = Buffer.byteLength(run.log);
  if (logBytes > limits.outputBytes) problems.push(`the kept log has ${logBytes} bytes`);
  if (!run.log.isWellFormed()) problems.push('the kept log is no text');
  if (run.kind !== 'answer') return run.message.length > 4_000 ? [...problems, `a message of ${run.message.length} characters`] : problems;
  const answerBytes = Buffer.byteLength(JSON.stringify(run.answer));
  // The program's own spelling is what is bounded; another spelling of the same value may be longer by escapes.
  if (answerBytes > limits.answerBytes * 6) problems.push(`the kept answer has ${answerBytes} bytes`);
  const artifactBytes = (run.artifacts ?? []).reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (artifactBytes > limits.artifacts.bytes) problems.push(`the kept artifacts have ${artifactBytes} bytes`);
  return problems;
}

/** Every byte that a case leaves, as text. */
export function stored(run: CaseRun): string {
  const artifacts = run.kind === 'answer' ? (run.artifacts ?? []) : [];
  const { artifacts: _bytes, ...rest } = run as CaseRun & { artifacts?: unknown };
  return [JSON.stringify(rest), ...artifacts.flatMap(({ path, bytes }) => [path, Buffer.from(bytes).toString('latin1')])].join('\n');
}

export function shortly(run: CaseRun): string {
  if (run.kind === 'answer') return 'answer';
  if (run.kind === 'limit') return `limit ${run.limit}`;
  if (run.kind === 'fault') return `fault ${run.code}: ${run.message.slice(0, 200)}`;
  return `error: ${run.message.slice(0, 300)}`;
}
