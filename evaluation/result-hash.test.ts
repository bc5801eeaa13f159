import { expect, it } from 'vitest';
import type { CaseResult } from '../contracts/evaluation.ts';
import { caseResult } from '../test/setup/rubrics.ts';
import { verdictOf } from '../test/setup/records.ts';
import { resultHash, submissionHash } from './result-hash.ts';

const core = (results: CaseResult[]) => ({
  rubricHash: 'a'.repeat(64),
  submissionHash: 'b'.repeat(64),
  seed: 'c'.repeat(64),
  phase: 'all',
  verdict: verdictOf(1),
  results,
});
const base = resultHash(core([caseResult('one', 1)]));

it('the result hash is fixed: a change of its form is a change of every receipt', () => {
  expect(base).toBe('6ea37e51e935d68961ca8723147a76fb81fe42bf77ce6d129312412fced42ffe');
});

it.each<[string, Partial<CaseResult>]>([
  ['time', { wallMs: 99 }],
  ['usage', { usage: { calls: 9, inputTokens: 9, outputTokens: 9, costMicros: '9' } }],
  ['transcript, which holds times', { transcriptHash: 'd'.repeat(64) }],
  ['log', { logHash: 'd'.repeat(64) }],
  ['words of a fault, which may hold times', { message: 'did not finish' }],
])('leaves out %s', (_, change) => {
  expect(resultHash(core([caseResult('one', 1, change)]))).toBe(base);
});

it.each<[string, Partial<CaseResult>]>([
  ['score', { score: 0.5 }],
  ['end', { end: 'fault' }],
  ['limit', { limit: 'cpu' }],
  ['grades', { grades: [] }],
  ['trial', { trial: 1 }],
  ['split', { split: 'hidden' }],
])('covers %s', (_, change) => {
  expect(resultHash(core([caseResult('one', 1, change)]))).not.toBe(base);
});

it('a submission has one hash however its keys are ordered', () => {
  expect(submissionHash({ kind: 'answers', answers: { a: 1, b: 2 } })).toBe(submissionHash({ answers: { b: 2, a: 1 }, kind: 'answers' }));
});
