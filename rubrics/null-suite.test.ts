import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json } from '../contracts/json.ts';
import type { CaseResult } from '../contracts/evaluation.ts';
import { bytesOf, caseResult, gradingContext, smallRubricFiles, smallRubricYaml } from '../test/setup/rubrics.ts';
import { aggregate } from './aggregate.ts';
import { checkSubmission } from './check-submission.ts';
import { compileCriteria, gradeCase } from './grade-case.ts';
import { loadRubric, rubricFromFiles } from './load.ts';
import { nullSuite } from './null-suite.ts';
import { sampleOf } from './schema-sample.ts';
import type { LoadedRubric } from './rubric.ts';

function load(yaml: string): LoadedRubric {
  const loaded = rubricFromFiles(bytesOf({ ...smallRubricFiles, 'rubric.yaml': yaml }), '/rubric');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.rubric;
}
const phaseCases = (rubric: LoadedRubric) =>
  rubric.rubric.phases[0]!.splits.flatMap((split) => rubric.cases[split].map((c) => ({ case: c, split })));
const names = ['empty', 'constant', 'random', 'off-topic', 'verbose', 'injected', 'copied'];

async function scoreOf(rubric: LoadedRubric, answers: Record<string, Json>): Promise<number | null> {
  const criteria = compileCriteria(rubric);
  const results: CaseResult[] = [];
  for (const { case: c, split } of phaseCases(rubric)) {
    const graded = await gradeCase(criteria, gradingContext({ case: c, split, answer: answers[c.id] }), 'answers');
    results.push(caseResult(c.id, 0, { split, ...graded }));
  }
  return aggregate({ rubric: rubric.rubric, rubricCases: phaseCases(rubric), results, kind: 'answers', seed: 'a' }).score;
}

describe('the null suite', () => {
  const tight = load(smallRubricYaml.replace('maxLength: 100', 'maxLength: 2000, pattern: "^.{0,500}$"'));

  it('has submissions that all fit the form and repeat with the seed', () => {
    const suite = nullSuite(tight, tight.rubric.phases[0]!, 'seed');
    expect(suite.map(({ name }) => name)).toEqual(names.filter((name) => name !== 'verbose'));
    const cases = phaseCases(tight).map((one) => one.case);
    for (const { document } of suite) expect(checkSubmission(tight.rubric, cases, document)).toMatchObject({ ok: true });
    expect(nullSuite(tight, tight.rubric.phases[0]!, 'seed')).toEqual(suite);
    expect(nullSuite(tight, tight.rubric.phases[0]!, 'other')).not.toEqual(suite);
  });

  it('scores 0 on an honest rubric and shows one that pays for anything', async () => {
    const greedy = load(
      smallRubricYaml.replace(
        'kind: equals, of: answer, to: expected/capital',
        'kind: includes, of: expected/capital, to: expected/capital',
      ),
    );
    for (const { document } of nullSuite(tight, tight.rubric.phases[0]!, 'seed')) {
      if (document.kind === 'answers') expect(await scoreOf(tight, document.answers)).toBe(0);
    }
    expect(await scoreOf(greedy, {})).toBe(1);
  });

  it('covers every kind a rubric takes', async () => {
    const loaded = await loadRubric(join(import.meta.dirname, 'library/secret-keeper'));
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const suite = nullSuite(loaded.rubric, loaded.rubric.rubric.phases[0]!, 'seed');
    expect(suite.map(({ name }) => name).sort()).toEqual(
      ['program', 'prompts'].flatMap((kind) => names.map((name) => `${kind} ${name}`)).sort(),
    );
    const defence = await loadRubric(join(import.meta.dirname, 'library/over-refusal'));
    if (!defence.ok) throw new Error(JSON.stringify(defence.problems));
    expect(nullSuite(defence.rubric, defence.rubric.rubric.phases[0]!, 'seed').map(({ name }) => name)).toEqual(names);
  });

  it('writes programs that return their value, also in Python', () => {
    const program = (profiles: string, languages: string) =>
      load(
        smallRubricYaml
          .replace('kind: answers', `kind: program\n    languages: [${languages}]`)
          .replace('cases:', `sandbox: { profiles: [${profiles}] }\ncases:`),
      );
    const js = program('js, python', 'javascript, python');
    expect(nullSuite(js, js.rubric.phases[0]!, 's')[1]?.document).toMatchObject({
      language: 'javascript',
      source: expect.stringContaining('JSON.parse("\\"the answer\\"")'),
    });
    const python = program('python', 'javascript, python');
    expect(nullSuite(python, python.rubric.phases[0]!, 's')[1]?.document).toMatchObject({
      language: 'python',
      source: expect.stringContaining('json.loads("\\"the answer\\"")'),
    });
  });
});

it('samples a value for a schema', () => {
  const text = () => 'filler';
  expect(sampleOf({ type: 'array', minItems: 1, maxItems: 3, items: { type: 'string', maxLength: 3 } }, text)).toEqual([
    'fil',
    'fil',
    'fil',
  ]);
  expect(
    sampleOf({ type: 'object', properties: { a: { enum: ['x'] }, n: { type: 'integer', minimum: 4 }, b: { type: 'boolean' } } }, text),
  ).toEqual({ a: 'x', n: 4, b: true });
  expect(sampleOf({ anyOf: [{ const: 7 }] }, text)).toBe(7);
  expect(sampleOf({ type: 'string', minLength: 8 }, text)).toBe('fillerfi');
  expect(sampleOf({ type: ['null', 'string'] }, text)).toBeNull();
});
