import { describe, expect, it } from 'vitest';
import { Limits } from '../../contracts/sandbox.ts';
import type { RunnerResult } from './runner-protocol.ts';
import { decide, type Observation } from './verdict.ts';

const asked = Limits.parse({ wallMs: 1_000, cpuMs: 500, outputBytes: 1_024, answerBytes: 100 });
const limits = { limits: asked, lowered: {} };
const base64 = (text: string) => Buffer.from(text).toString('base64');
const result = (more: Partial<RunnerResult> = {}): RunnerResult => ({
  ...{ nonce: 'n', type: 'result', seq: 1, end: 'answer', exitCode: null, signal: 'SIGKILL' },
  ...{ answer: base64('A{"x":1}\n'), log: '', diskFull: false, clean: true, artifacts: null },
  ...more,
});
const seen = (more: Partial<Observation> = {}): Observation => ({
  ...{ end: { kind: 'result', result: result() }, wallMs: 100, cpuMs: 50, oomKilled: false, tasksRefused: false },
  ...more,
});
const from = (more: Partial<RunnerResult>) => decide(seen({ end: { kind: 'result', result: result(more) } }), limits);

describe('the blame for a case', () => {
  it("is nobody's when an answer came within all limits", () => {
    expect(decide(seen(), limits)).toEqual({ kind: 'answer', answer: { x: 1 }, log: '', wallMs: 100 });
  });

  it.each([
    ['memory', { oomKilled: true, tasksRefused: true, cpuMs: 900, wallMs: 2_000 }],
    ['processes', { tasksRefused: true, cpuMs: 900, wallMs: 2_000 }],
    ['cpu', { cpuMs: 501, wallMs: 2_000 }],
    ['wall', { wallMs: 1_000 }],
    ['wall', { end: { kind: 'overdue' } as const }],
  ])('goes to the limit "%s" that the worker saw, whatever the program answered', (limit, more) => {
    expect(decide(seen(more), limits)).toMatchObject({ kind: 'limit', limit });
  });

  it('goes to the limit also when the whole container died of it', () => {
    expect(decide(seen({ oomKilled: true, end: { kind: 'ended', by: 'platform', detail: 'it ended' } }), limits)).toMatchObject({
      limit: 'memory',
    });
  });

  it('goes to the output when one byte too many was printed, and what is kept fits', () => {
    const run = from({ log: base64('ü'.repeat(600)) });
    expect(run).toMatchObject({ kind: 'limit', limit: 'output' });
    expect(run.kind === 'limit' && Buffer.byteLength(run.log)).toBe(1_024);
    expect(from({ log: base64('x'.repeat(1_024)) })).toMatchObject({ kind: 'answer' });
  });

  it('goes to a full disk only when no answer was given', () => {
    const fault = base64('F{"code":"program_error","message":"no space left"}\n');
    expect(from({ diskFull: true, answer: fault })).toMatchObject({ kind: 'limit', limit: 'disk' });
    expect(from({ diskFull: true })).toMatchObject({ kind: 'answer' });
  });

  it('goes to the platform when the container ended without a limit in sight', () => {
    expect(decide(seen({ end: { kind: 'ended', by: 'platform', detail: 'it ended' } }), limits)).toEqual({
      kind: 'error',
      message: 'the sandbox ended: it ended',
    });
    expect(decide(seen({ end: { kind: 'cancelled' }, wallMs: 5_000 }), limits).kind).toBe('error');
    expect(from({ end: 'unclean', answer: '' }).kind).toBe('error');
  });

  it('goes to the program when it brought its runner down: a free retry would be worth it', () => {
    const run = decide(seen({ end: { kind: 'ended', by: 'program', detail: 'exit code 1' } }), limits);
    expect(run).toMatchObject({ kind: 'fault', code: 'early_exit', message: expect.stringContaining('exit code 1') });
  });

  it('goes to the operator when a limit that is lower than the rubric asks was met', () => {
    const lowered = { limits: asked, lowered: { memoryBytes: 1_073_741_824, answerBytes: 1_000 } };
    expect(decide(seen({ oomKilled: true }), lowered)).toMatchObject({ kind: 'error', message: expect.stringContaining('1073741824') });
    expect(decide(seen({ cpuMs: 501 }), lowered)).toMatchObject({ kind: 'limit', limit: 'cpu' });
    const long = seen({ end: { kind: 'result', result: result({ answer: base64(`A"${'x'.repeat(99)}"\n`) }) } });
    expect(decide(long, lowered)).toMatchObject({ kind: 'error', message: expect.stringContaining('answerBytes') });
    expect(decide(seen(), lowered)).toMatchObject({ kind: 'answer' });
  });

  it('keeps artifacts within the bounds and says how many were left out', () => {
    const caps = { ...asked, artifacts: { files: 1, bytes: 10, depth: 0 } };
    const text = JSON.stringify({
      files: [
        ['a.txt', base64('hello')],
        ['b.txt', base64('more')],
      ],
      leftOut: 2,
    });
    const run = decide(seen({ end: { kind: 'result', result: result({ artifacts: text }) } }), { limits: caps, lowered: {} });
    expect(run).toMatchObject({ kind: 'answer', artifacts: [{ path: 'a.txt' }], log: expect.stringContaining('3 entries') });
  });

  it('goes to the program when it ends early', () => {
    const early = { kind: 'fault', code: 'early_exit' };
    expect(from({ end: 'exit', answer: '', exitCode: 3, signal: null })).toMatchObject({ ...early, message: expect.stringContaining('3') });
    expect(from({ end: 'exit', answer: '', signal: 'SIGSEGV' })).toMatchObject({ ...early, message: expect.stringContaining('SIGSEGV') });
  });

  it.each([
    '',
    'X',
    'A',
    'A{',
    'Anull null\n',
    'A{"__proto__":1}\n',
    `A"${'x'.repeat(99)}"\n`,
    'F',
    'F{"code":"limit","message":""}\n',
    'A\u00ff\ufffe',
  ])('goes to the program when its answer channel holds %j', (text) => {
    expect(from({ answer: base64(text) })).toMatchObject({ kind: 'fault', code: 'invalid_output' });
  });

  it('keeps a log that any store can hold', () => {
    expect(from({ log: Buffer.from([0x61, 0x00, 0xff, 0x62]).toString('base64') })).toMatchObject({ log: 'a\ufffd\ufffdb' });
  });
});
