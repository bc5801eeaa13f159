import { describe, expect, it } from 'vitest';
import type { Grade } from '../../contracts/evaluation.ts';
import { GraderSpec } from '../../contracts/graders.ts';
import { bytesOf, caseResult, grade, gradingContext, smallRubricFiles, smallRubricYaml } from '../../test/setup/rubrics.ts';
import { compileGrader } from '../graders/compile.ts';
import { rubricFromFiles } from '../load.ts';
import { mutantsOf, mutate } from './mutants.ts';
import { droppableParts, gradeWithoutPart } from './regrade-parts.ts';

function load(criteria: string, score = 'kind: mean, of: case-score') {
  const yaml = smallRubricYaml
    .replace(/criteria:[\s\S]*metrics:/, `criteria:\n${criteria}\nmetrics:`)
    .replace('kind: mean, of: { criterion: right }', score);
  const loaded = rubricFromFiles(bytesOf({ ...smallRubricFiles, 'rubric.yaml': yaml }), '/rubric');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.rubric.rubric;
}
const equals = '{ kind: equals, of: answer, to: expected/capital }';
const right = `  - { name: right, title: Right, grader: ${equals}, weight: 3 }`;
const short = '  - { name: short, title: Short, grader: { kind: regex, of: answer, pattern: "^.{1,9}$" }, weight: 1 }';
const polite = '  - { name: polite, title: Polite, grader: { kind: regex, of: answer, pattern: x }, weight: 0';

describe('mutants of a rubric', () => {
  it('are its checks that move the score: criteria and parts of combinations', () => {
    const parts = `  - { name: both, title: Both, grader: { kind: all, parts: [${equals}, { kind: not, part: { kind: any, parts: [${equals}, ${equals}] } }] } }`;
    const rubric = load([right, `${polite} }`, parts].join('\n'));
    expect(mutantsOf(rubric).map(({ criterion, part }) => `${criterion.name} ${part?.name ?? ''}`.trim())).toEqual([
      ...['right', 'both', 'both all/1 (equals)', 'both all/2 (not)'],
      ...['both all/2/not/1/any/1 (equals)', 'both all/2/not/1/any/2 (equals)'],
    ]);
  });

  it('a removed criterion loses weight and gate', async () => {
    const rubric = load([right, short, `${polite}, gate: { scope: case } }`].join('\n'));
    const results = [caseResult('fr', 0, { grades: [grade('right', 1), grade('short', 0), grade('polite', 0)] })];
    const [ofRight, ofShort, ofPolite] = mutantsOf(rubric);
    const without = async (mutant: typeof ofRight) => (mutant ? await mutate(rubric, results, 'answers', mutant) : undefined);
    expect((await without(ofPolite))?.results[0]?.score).toBe(0.75);
    expect((await without(ofPolite))?.rubric.criteria[2]).not.toHaveProperty('gate');
    const open = [caseResult('fr', 0.75, { grades: [grade('right', 1), grade('short', 0), grade('polite', 1)] })];
    expect((await mutate(rubric, open, 'answers', ofShort!)).results[0]?.score).toBe(1);
    expect((await mutate(rubric, open, 'answers', ofRight!)).results[0]?.score).toBe(0);
  });

  it('a criterion that is read by name, or alone has weight, counts as met', async () => {
    const named = load(right, 'kind: mean, of: { criterion: right }');
    const results = [caseResult('fr', 0), caseResult('jp', 0, { end: 'missing', grades: [] })];
    const { results: after, differs } = await mutate(named, results, 'answers', mutantsOf(named)[0]!);
    expect(differs).toBe(true);
    expect(after.map(({ score, grades }) => [score, grades.map((one) => one.score)])).toEqual([
      [1, [1]],
      [0, []],
    ]);
    const met = await mutate(named, [caseResult('fr', 1)], 'answers', mutantsOf(named)[0]!);
    expect(met.differs).toBe(false);
  });
});

describe('a combination without one of its parts', () => {
  const is = (to: string) => ({ kind: 'equals', of: 'answer', to: `expected/${to}` });
  async function gradesOf(spec: unknown, expected: Record<string, string>) {
    const grader = GraderSpec.parse(spec);
    const result = await compileGrader(grader, () => '')(gradingContext({ answer: 'yes', case: { id: 'c', input: null, expected } }));
    const kept = { evidence: { parts: result.evidence.parts ?? null } } satisfies Pick<Grade, 'evidence'>;
    const without: Record<string, number | null> = {};
    for (const { path, name } of droppableParts(grader)) without[name] = (await gradeWithoutPart(grader, kept, path))?.score ?? null;
    return { score: result.score, without };
  }

  it('is what the combination would have given, from kept scores alone', async () => {
    const three = [is('a'), is('b'), is('c')];
    const expected = { a: 'yes', b: 'no', c: 'yes' };
    expect(await gradesOf({ kind: 'all', parts: three }, expected)).toEqual({
      score: 0,
      without: { 'all/1 (equals)': 0, 'all/2 (equals)': 1, 'all/3 (equals)': 0 },
    });
    expect(await gradesOf({ kind: 'any', parts: [is('a'), is('b')] }, expected)).toEqual({
      score: 1,
      without: { 'any/1 (equals)': 0, 'any/2 (equals)': 1 },
    });
    const weights = [2, 1, 1].map((weight, i) => ({ grader: three[i], weight }));
    expect(await gradesOf({ kind: 'weighted', parts: weights }, expected)).toEqual({
      score: 0.75,
      without: { 'weighted/1 (equals)': 0.5, 'weighted/2 (equals)': 1, 'weighted/3 (equals)': 2 / 3 },
    });
  });

  it('reaches parts inside of parts, and terms that cannot be missing count as met', async () => {
    const nested = { kind: 'not', part: { kind: 'any', parts: [is('a'), is('b')] } };
    expect(await gradesOf(nested, { a: 'yes', b: 'no' })).toEqual({
      score: 0,
      without: { 'not/1/any/1 (equals)': 1, 'not/1/any/2 (equals)': 0 },
    });
    const jef = { kind: 'jef', vendors: is('b'), models: is('a'), retargetable: is('a'), fidelity: is('a') };
    const { score, without } = await gradesOf(jef, { a: 'yes', b: 'no' });
    expect(score).toBeCloseTo(0.75, 12);
    expect(without['jef/1 (equals)']).toBeCloseTo(1, 12);
    expect(without['jef/2 (equals)']).toBeCloseTo(0.75, 12);
  });

  it('is unknown where the evidence holds no parts', async () => {
    const spec = GraderSpec.parse({ kind: 'all', parts: [is('a'), is('b')] });
    expect(await gradeWithoutPart(spec, { evidence: {} }, [0])).toBeNull();
    expect(await gradeWithoutPart(spec, { evidence: { parts: [{ status: 'graded', score: 1, evidence: {} }] } }, [0])).toBeNull();
  });
});
