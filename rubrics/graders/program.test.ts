import { describe, expect, it } from 'vitest';
import type { Json } from '../../contracts/json.ts';
import { program as programSpec, type ProgramGraderSpec } from '../../contracts/program-grader.ts';
import { exchange, gradingContext } from '../../test/setup/rubrics.ts';
import type { GradingContext, ProgramAnswer } from './grader.ts';
import { maxTaskBytes, program } from './program.ts';

const specOf = (more: object = {}): ProgramGraderSpec =>
  programSpec.parse({ kind: 'program', path: 'graders/a.py', language: 'python', profile: 'python', ...more });
const text = () => 'def grade(task): ...';

/** What the grader made of an answer, and what it had asked. */
async function gradeWith(said: ProgramAnswer, more: object = {}, context: Partial<GradingContext> = {}) {
  const asked: Json[] = [];
  const runProgram: GradingContext['runProgram'] = async (_, task) => {
    asked.push(task);
    return said;
  };
  const result = await program(specOf(more), text)(gradingContext({ runProgram, ...context }));
  return { result, asked };
}
const answered = (answer: Json) => gradeWith({ ok: true, answer });

describe('the task of a grader program', () => {
  const context: Partial<GradingContext> = {
    case: { id: 'one', input: { q: 1 }, expected: { a: 2 } },
    answer: 'mine',
    transcript: [exchange('hello back'), exchange('a grader heard this', 'stop', 'grader')],
    secrets: { word: 'x' },
    trial: 3,
  };
  const seen = async (...sees: string[]) => (await gradeWith({ ok: true, answer: { score: 1 } }, { sees }, context)).asked[0];

  it('is the case and what "sees" names', async () => {
    const one = { id: 'one', split: 'public', trial: 3 };
    const usual = await gradeWith({ ok: true, answer: { score: 1 } }, {}, context);
    expect(usual.asked).toEqual([{ case: one, answer: 'mine', input: { q: 1 }, expected: { a: 2 } }]);
    expect(await seen('secrets')).toEqual({ case: one, secrets: { word: 'x' } });
    expect(await seen('replies')).toEqual({ case: one, replies: ['hello back'] });
  });

  it('holds of the transcript what was said, nothing that differs from run to run', async () => {
    const task = (await seen('transcript')) as { transcript: Json[] };
    expect(task.transcript[0]).toEqual({
      target: 't',
      messages: [{ role: 'user', content: 'hello' }],
      tools: [],
      reply: { content: 'hello back', toolCalls: [], stopReason: 'stop' },
      fault: null,
    });
  });

  it('has null where there is nothing', async () => {
    const { asked } = await gradeWith({ ok: true, answer: { score: 1 } }, { sees: ['answer', 'expected'] });
    expect(asked).toEqual([{ case: { id: 'one', split: 'public', trial: 0 }, answer: null, expected: null }]);
  });

  it('that is too large is an error that tells no size of a hidden case', async () => {
    const large = { case: { id: 'one', input: 'x'.repeat(maxTaskBytes) } };
    const { result, asked } = await gradeWith({ ok: true, answer: { score: 1 } }, {}, large);
    expect(result).toMatchObject({ status: 'error', score: null, evidence: { faultOf: 'sponsor' } });
    expect(String(result.evidence.message)).toMatch(/more than 4194304 bytes of JSON/);
    expect(asked).toEqual([]);
    const fits = await gradeWith({ ok: true, answer: { score: 1 } }, {}, { case: { id: 'one', input: 'x'.repeat(maxTaskBytes - 200) } });
    expect(fits.result.status).toBe('graded');
    // Bytes and not characters: three of them each.
    const wide = await gradeWith({ ok: true, answer: { score: 1 } }, {}, { case: { id: 'one', input: '€'.repeat(maxTaskBytes / 2) } });
    expect(wide.result.status).toBe('error');
  });
});

describe('the answer of a grader program', () => {
  it('is a score from 0 to 1, with evidence when it gives some', async () => {
    expect((await answered({ score: 0.25 })).result).toEqual({ status: 'graded', score: 0.25, evidence: { program: {} } });
    const withEvidence = await answered({ score: 1, evidence: { why: 'because', parts: [1, null, { a: true }] } });
    expect(withEvidence.result.evidence).toEqual({ program: { why: 'because', parts: [1, null, { a: true }] } });
  });

  it('of minus zero is zero', async () => {
    expect(Object.is((await answered({ score: -0 })).result.score, 0)).toBe(true);
  });

  it('may ask for a person, and then gives no score', async () => {
    expect((await answered({ score: 0.7, review: 'odd\0' })).result).toEqual({
      status: 'needs_review',
      score: null,
      evidence: { message: 'odd\ufffd', proposed: 0.7, program: {} },
    });
  });

  it('has its evidence cut and made storable like that of any grader', async () => {
    const { result } = await answered({ score: 1, evidence: { long: 'x'.repeat(5_000), 'nul\0': '\ud800', ['k'.repeat(20_000)]: 1 } });
    const expected = { long: `${'x'.repeat(200)}…`, 'nul\ufffd': '\ufffd', [`${'k'.repeat(200)}…`]: 1 };
    expect(result.evidence.program).toEqual(expected);
  });

  it.each<[string, Json]>([
    ['null', null],
    ['a word', 'pass'],
    ['a number', 1],
    ['true', true],
    ['a list', [{ score: 1 }]],
    ['nothing', {}],
    ['a score in words', { score: '1' }],
    ['a score of null', { score: null }],
    ['a score of true', { score: true }],
    ['100', { score: 100 }],
    ['a little more than 1', { score: 1.0000001 }],
    ['less than 0', { score: -1 }],
    ['NaN', { score: Number.NaN }],
    ['infinity', { score: Number.POSITIVE_INFINITY }],
    ['another word for it', { Score: 1 }],
    ['more than was asked', { score: 1, pass: true }],
    ['evidence that is a text', { score: 1, evidence: 'x' }],
    ['evidence that is a list', { score: 1, evidence: ['x'] }],
    ['much evidence', { score: 1, evidence: { a: Array.from({ length: 9_000 }, () => 1) } }],
    ['deep evidence', { score: 1, evidence: { a: [[[[[[[[[1]]]]]]]]] } }],
    ['a review without a reason', { score: 1, review: '' }],
    ['a review that is no text', { score: 1, review: true }],
  ])('%s is an error of the sponsor', async (_, answer) => {
    const { result } = await answered(answer);
    expect(result).toMatchObject({ status: 'error', score: null, evidence: { faultOf: 'sponsor' } });
  });

  it('that is wrong is described without a word of it', async () => {
    for (const answer of [{ score: 1, hidden: 'x' }, { score: 'hidden' }, 'hidden', { score: 1, evidence: 'hidden' }])
      expect(JSON.stringify((await answered(answer)).result)).not.toContain('hidden');
  });
});

describe('a grader program that gave no answer', () => {
  it.each(['sponsor', 'platform'] as const)('is an error of the %s', async (faultOf) => {
    const { result } = await gradeWith({ ok: false, faultOf, message: 'what happened' });
    expect(result).toEqual({ status: 'error', score: null, evidence: { message: 'what happened', faultOf } });
  });

  it('has room to say what to install', async () => {
    const message = `${'no engine answers; '.repeat(20)}Install one.`;
    expect((await gradeWith({ ok: false, faultOf: 'platform', message })).result.evidence.message).toBe(message);
  });

  it('is looked for when its rubric is compiled', () => {
    const missing = () => {
      throw new Error('the rubric has no file');
    };
    expect(() => program(specOf(), missing)).toThrow('no file');
  });
});
