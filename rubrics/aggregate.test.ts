import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { CaseResult } from '../contracts/evaluation.ts';
import { Rubric } from '../contracts/rubric.ts';
import { Reason } from '../contracts/status.ts';
import { caseResult, grade, smallRubricYaml } from '../test/setup/rubrics.ts';
import { aggregate } from './aggregate.ts';
import type { PhaseCase } from './units.ts';

const small = parse(smallRubricYaml) as Record<string, unknown>;
const rubricWith = (parts: Record<string, unknown> = {}): Rubric => Rubric.parse({ ...small, ...parts });
const casesOf = (ids: readonly string[], split: PhaseCase['split'] = 'public'): PhaseCase[] =>
  ids.map((id) => ({ case: { id, input: null }, split }));
const seed = 'ab'.repeat(32);
const judge = (results: CaseResult[], parts: Record<string, unknown> = {}, cases = casesOf(['a', 'b', 'c'])) =>
  aggregate({ rubric: rubricWith(parts), rubricCases: cases, results, kind: 'answers', seed });
const gated = {
  criteria: [
    { name: 'right', title: 'Right', grader: { kind: 'equals', of: 'answer', to: 'expected' } },
    {
      name: 'rule',
      title: 'No copies',
      weight: 0,
      gate: { scope: 'submission' },
      grader: { kind: 'verbatim-copy', of: 'answer', to: 'input' },
    },
  ],
};

describe('the outcome', () => {
  it('is pass when the lower bound reaches the threshold and fail when only the point does', () => {
    const results = [caseResult('a', 1), caseResult('b', 1), caseResult('c', 1)];
    expect(judge(results)).toMatchObject({ outcome: 'pass', reason: null, score: 1, interval: [expect.closeTo(0.4385, 4), 1] });
    expect(judge(results, { pass: { threshold: 0.5 } })).toMatchObject({
      outcome: 'fail',
      score: 1,
      reason: { code: 'below_threshold', faultOf: 'participant' },
    });
    expect(judge(results, { pass: { threshold: 0.5, bound: 'point' } })).toMatchObject({ outcome: 'pass' });
  });

  it('is fail when something required beside the score is missed, and says what', () => {
    const results = [caseResult('a', 1), caseResult('b', 1), caseResult('c', 0)];
    const pass = (atLeast: number, bound: string) => ({
      pass: { threshold: 0.2, bound: 'point', require: [{ metric: 'accuracy', atLeast, bound }] },
    });
    expect(judge(results, pass(0.66, 'point'))).toMatchObject({ outcome: 'pass', reason: null });
    expect(judge(results, pass(0.67, 'point'))).toMatchObject({
      outcome: 'fail',
      reason: { code: 'below_threshold', message: '"accuracy" does not reach 0.67.' },
    });
    expect(judge(results, pass(0.66, 'lower')).reason?.message).toBe('The lower 95 % confidence bound of "accuracy" does not reach 0.66.');
  });

  it('counts a missing, faulty or limited case 0', () => {
    const bad = { grades: [], score: 0 };
    const results = [
      caseResult('a', 1),
      caseResult('b', 0, { ...bad, end: 'missing' }),
      caseResult('c', 0, { ...bad, end: 'limit', limit: 'cpu' }),
    ];
    expect(judge(results)).toMatchObject({
      outcome: 'fail',
      score: expect.closeTo(1 / 3, 12),
      metrics: { accuracy: { numerator: 1, denominator: 3 } },
    });
  });

  it('is limit when nothing but limits came, and says which', () => {
    const results = (['cpu', 'wall', 'cpu'] as const).map((limit, i) =>
      caseResult('abc'[i]!, 0, { end: 'limit', limit, grades: [], score: 0 }),
    );
    expect(judge(results)).toMatchObject({
      outcome: 'limit',
      score: 0,
      reason: { code: 'limit_exceeded', message: expect.stringContaining('"cpu"') },
    });
  });

  it('is invalid when a rule is broken anywhere, naming the rule and the case', () => {
    const results = ['a', 'b', 'c'].map((id) => caseResult(id, 1, { grades: [grade('right', 1), grade('rule', id === 'b' ? 0 : 1)] }));
    const verdict = judge(results, gated);
    expect(verdict).toMatchObject({
      outcome: 'invalid',
      score: null,
      interval: null,
      metrics: {},
      reason: { code: 'rule_broken', faultOf: 'participant' },
    });
    expect(verdict.reason?.message).toContain('"rule"');
    expect(verdict.reason?.message).toContain('"b"');
  });

  it('is error, without a score, for an error of a case or a grade, with its owner', () => {
    const error = { status: 'error' as const, score: null, evidence: { message: 'the model is down', faultOf: 'target' } };
    const results = [
      caseResult('a', 1),
      caseResult('b', 0, { score: null, grades: [{ criterion: 'right', grader: 'reasr', ...error }] }),
      caseResult('c', 1),
    ];
    expect(judge(results)).toMatchObject({
      outcome: 'error',
      score: null,
      reason: { code: 'grade_error', faultOf: 'target', message: expect.stringContaining('the model is down') },
    });
    const broken = [
      caseResult('a', 1),
      caseResult('b', 1),
      caseResult('c', 0, { end: 'error', message: 'engine gone', grades: [], score: null }),
    ];
    expect(judge(broken)).toMatchObject({ outcome: 'error', reason: { code: 'case_error', faultOf: 'platform' } });
  });

  it('is needs_review when a grade needs a human', () => {
    const results = [
      caseResult('a', 1),
      caseResult('b', 1),
      caseResult('c', 0, { score: null, grades: [{ ...grade('right', 0), status: 'needs_review', score: null }] }),
    ];
    expect(judge(results)).toMatchObject({ outcome: 'needs_review', score: null, reason: { code: 'needs_review' } });
  });

  it.each<[string, CaseResult[]]>([
    ['too few', [caseResult('a', 1), caseResult('b', 1)]],
    ['one twice', [caseResult('a', 1), caseResult('a', 1), caseResult('b', 1), caseResult('c', 1)]],
    ['a stranger', [caseResult('a', 1), caseResult('b', 1), caseResult('x', 1)]],
    ['a trial too many', [caseResult('a', 1), caseResult('b', 1), caseResult('c', 1, { trial: 1 })]],
    ['none', []],
  ])('is error when the results are not those of the phase: %s', (_, results) => {
    expect(judge(results)).toMatchObject({ outcome: 'error', score: null, reason: { code: 'incomplete_results', faultOf: 'platform' } });
  });
});

it('tells nothing of a hidden case', () => {
  const hidden = casesOf(['secret-case'], 'hidden');
  const results = [
    caseResult('secret-case', 0, { split: 'hidden', end: 'error', message: 'it asked: what is 6 × 7', grades: [], score: null }),
  ];
  const verdicts = [
    judge(results, {}, hidden),
    judge([caseResult('secret-case', 0, { grades: [grade('rule', 0)] })], gated, hidden),
    judge([caseResult('secret-case', 0.123)], { pass: { threshold: 0.9 } }, hidden),
  ];
  for (const { reason } of verdicts) {
    expect(Reason.parse(reason)).toEqual(reason);
    expect(JSON.stringify(reason)).not.toMatch(/secret-case|6 × 7|0\.123/);
  }
  expect(verdicts[0]?.reason?.message).toContain('a hidden case');
});

it('summarises each criterion over the grades it has', () => {
  const results = [caseResult('a', 1), caseResult('b', 0.5), caseResult('c', 0, { end: 'missing', grades: [], score: 0 })];
  expect(judge(results).criteria).toEqual([{ name: 'right', title: 'The capital is right', weight: 1, mean: 0.75, graded: 2, errors: 0 }]);
});

it('gives the same bytes whatever the order of the results, and another interval for another seed', () => {
  const ids = Array.from({ length: 12 }, (_, i) => `c${i}`);
  const cases = casesOf(ids);
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 12, maxLength: 12 }),
      fc.shuffledSubarray([...ids.keys()], { minLength: 12 }),
      (scores, order) => {
        const results = ids.map((id, i) => caseResult(id, scores[i]!));
        const straight = JSON.stringify(judge(results, {}, cases));
        expect(
          JSON.stringify(
            judge(
              order.map((i) => results[i]!),
              {},
              cases,
            ),
          ),
        ).toBe(straight);
      },
    ),
    { numRuns: 30 },
  );
  // Groups of very different sizes and means: only then are resamples wider than Wilson's interval, which knows no seed.
  const grouped = cases.map((one, i) => ({ ...one, case: { ...one.case, group: `g${Math.floor(Math.log2(i + 1))}` } }));
  const results = ids.map((id, i) => caseResult(id, i < 7 ? 0.9 + i / 100 : i / 100));
  const other = aggregate({ rubric: rubricWith(), rubricCases: grouped, results, kind: 'answers', seed: 'cd'.repeat(32) });
  expect(other.interval).not.toEqual(judge(results, {}, grouped).interval);
  expect(other.score).toBe(judge(results, {}, grouped).score);
});

describe('a report', () => {
  const judgeReport = (results: CaseResult[]) =>
    aggregate({ rubric: rubricWith(), rubricCases: casesOf(['a']), results, kind: 'report', seed });

  it('goes to a person whatever graders say, and never gets a score', () => {
    for (const score of [0, 1])
      expect(judgeReport([caseResult('a', score)])).toMatchObject({
        ...{ outcome: 'needs_review', reason: { code: 'person_decides' }, score: null, interval: null, metrics: {} },
        criteria: [{ mean: score, graded: 1 }],
      });
  });

  it('is an error while a grader fails: the advice would be missing', () => {
    const failed = { ...grade('right', 0), status: 'error' as const, score: null };
    expect(judgeReport([caseResult('a', 0, { grades: [failed], score: null })])).toMatchObject({ outcome: 'error' });
  });
});
