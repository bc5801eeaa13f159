import { describe, expect, it } from 'vitest';
import type { Criterion } from '../contracts/rubric.ts';
import { bytesOf, gradingContext, smallRubricFiles } from '../test/setup/rubrics.ts';
import { type CompiledCriterion, compileCriteria, gradeCase } from './grade-case.ts';
import { graded, type Grader } from './graders/grader.ts';
import { rubricFromFiles } from './load.ts';

function criterion(name: string, grader: Grader, parts: Partial<Criterion> = {}): CompiledCriterion {
  const spec = { kind: 'equals', of: 'answer', to: 'expected', normalise: [] } as const;
  return { criterion: { name, title: name, weight: 1, grader: { ...spec, normalise: [] }, ...parts }, grader };
}
const scoring =
  (score: number): Grader =>
  () =>
    graded(score);
const run = (criteria: CompiledCriterion[]) => gradeCase(criteria, gradingContext(), 'answers');

describe('the score of a case', () => {
  it('is the weighted mean', async () => {
    expect((await run([criterion('a', scoring(1), { weight: 3 }), criterion('b', scoring(0))])).score).toBe(0.75);
    expect(
      (
        await run([
          criterion('a', scoring(1), { weight: 0.1 }),
          criterion('b', scoring(1), { weight: 0.2 }),
          criterion('c', scoring(1), { weight: 0.3 }),
        ])
      ).score,
    ).toBe(1);
  });

  it('leaves out what has no weight or is for another kind of submission', async () => {
    const result = await run([
      criterion('a', scoring(1)),
      criterion('note', scoring(0), { weight: 0 }),
      criterion('p', scoring(0), { for: ['program'] }),
    ]);
    expect(result.score).toBe(1);
    expect(result.grades.map((grade) => grade.criterion)).toEqual(['a', 'note']);
  });

  it('is 0 below a gate, which needs no weight of its own', async () => {
    const gate = { scope: 'case', atLeast: 0.5 } as const;
    expect((await run([criterion('a', scoring(1)), criterion('g', scoring(0.4), { weight: 0, gate })])).score).toBe(0);
    expect((await run([criterion('a', scoring(1)), criterion('g', scoring(0.5), { weight: 0, gate })])).score).toBe(1);
  });
});

describe('a grader that fails', () => {
  it.each<[string, Grader]>([
    ['by an exception', () => Promise.reject(new Error('a bug'))],
    [
      'by a thrown text',
      () => {
        throw 'text';
      },
    ],
    ['by a score above 1', () => ({ status: 'graded', score: 1.5, evidence: {} })],
    ['by NaN', () => ({ status: 'graded', score: Number.NaN, evidence: {} })],
    ['by no score', () => ({ status: 'graded', score: null, evidence: {} })],
  ])('%s is an error, not a fail, and the others still grade', async (_, grader) => {
    const { grades, score } = await run([criterion('bad', grader), criterion('good', scoring(1))]);
    expect(score).toBeNull();
    expect(grades).toMatchObject([
      { criterion: 'bad', status: 'error', score: null, evidence: { faultOf: 'platform' } },
      { criterion: 'good', score: 1 },
    ]);
    expect(typeof grades[0]?.evidence.message).toBe('string');
  });

  it('without weight leaves the score alone', async () => {
    expect((await run([criterion('bad', () => Promise.reject(new Error('x')), { weight: 0 }), criterion('good', scoring(1))])).score).toBe(
      1,
    );
  });
});

it('grades with the criteria of a loaded rubric', async () => {
  const loaded = rubricFromFiles(bytesOf(smallRubricFiles), '/rubric');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const context = gradingContext({ case: loaded.rubric.cases.public[0]!, answer: ' PARIS' });
  expect(await gradeCase(compileCriteria(loaded.rubric), context, 'answers')).toEqual({
    score: 1,
    grades: [{ criterion: 'right', grader: 'equals', status: 'graded', score: 1, evidence: { matched: true, answer: ' PARIS' } }],
  });
});
