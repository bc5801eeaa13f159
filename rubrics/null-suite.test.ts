import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json } from '../contracts/json.ts';
import type { CaseResult } from '../contracts/evaluation.ts';
import { bytesOf, caseResult, gradingContext, smallRubricFiles, smallRubricYaml } from '../test/setup/rubrics.ts';
import { aggregate } from './aggregate.ts';
import { checkSubmission } from './check-submission.ts';
import { compileCriteria, gradeCase } from './grade-case.ts';
import { judgeAttacks } from './judging/attacks.ts';
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
const masterKeys = ['colon', 'thought', 'solution', 'steps'].map((key) => `master-key-${key}`);
const knowingNothing = ['empty', 'constant', 'random', 'off-topic', 'verbose', 'injected', 'null-model', ...masterKeys, 'copied'];

async function scoreOf(rubric: LoadedRubric, answers: Record<string, Json>): Promise<number | null> {
  const criteria = compileCriteria(rubric);
  const results: CaseResult[] = [];
  for (const { case: c, split } of phaseCases(rubric)) {
    const graded = await gradeCase(criteria, gradingContext({ case: c, split, answer: answers[c.id] }), 'answers');
    results.push(caseResult(c.id, 0, { split, ...graded }));
  }
  return aggregate({ rubric: rubric.rubric, rubricCases: phaseCases(rubric), results, kind: 'answers', seed: 'a' }).score;
}

/** The form of the first test takes one line of at most 500 characters. */
const tooLong = ['verbose', 'null-model'];

describe('the null suite', () => {
  const tight = load(smallRubricYaml.replace('maxLength: 100', 'maxLength: 2000, pattern: "^.{0,500}$"'));

  it('has submissions that all fit the form and repeat with the seed', () => {
    const suite = nullSuite(tight, tight.rubric.phases[0]!, 'seed');
    expect(suite.map(({ name }) => name)).toEqual(
      [...knowingNothing, 'reference-copy', 'shuffled', 'stuffed'].filter((name) => !tooLong.includes(name)),
    );
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
      // Its cases expect nothing that could be copied.
      ['program', 'prompts'].flatMap((kind) => [...knowingNothing, 'copied-whole'].map((name) => `${kind} ${name}`)).sort(),
    );
    const defence = await loadRubric(join(import.meta.dirname, 'library/over-refusal'));
    if (!defence.ok) throw new Error(JSON.stringify(defence.problems));
    expect(nullSuite(defence.rubric, defence.rubric.rubric.phases[0]!, 'seed').map(({ name }) => name)).toEqual(
      // Shuffled labels of one case are the most frequent label again: no submission comes twice.
      [...knowingNothing, 'copied-whole', 'reference-copy', 'stuffed'],
    );
  });

  it('knows the other public cases, never the one it answers, and hands their texts out in turn', () => {
    const lists = load(
      smallRubricYaml.replace(
        'schema: { type: string, maxLength: 100 }',
        'schema: { type: array, maxItems: 2, items: { type: string, maxLength: 9 } }',
      ),
    );
    const suite = nullSuite(lists, lists.rubric.phases[0]!, 'seed');
    const answersOf = (wanted: string) => suite.find(({ name }) => name === wanted)?.document;
    expect(answersOf('reference-copy')).toEqual({
      kind: 'answers',
      answers: { fr: ['Tokyo', 'Tokyo'], jp: ['Paris', 'Paris'], ke: ['Paris', 'Tokyo'] },
    });
    expect(answersOf('shuffled')).toMatchObject({ answers: { fr: ['Tokyo', 'Tokyo'], jp: ['Paris', 'Paris'] } });
    // Cut to the nine characters that the form takes, the second place from the other end.
    expect(answersOf('stuffed')).toMatchObject({ answers: { ke: ['Paris Tok', 'Tokyo Par'] } });
  });

  it('says in every split what is right there most often', async () => {
    const cases = (prefix: string, words: unknown[]) =>
      words.map((word, i) => `${JSON.stringify({ id: `${prefix}${i}`, input: { prompt: `${prefix}${i}` }, expected: word })}\n`).join('');
    const labelled = (publicOnes: unknown[], hidden: unknown[], schema = '{ type: string, maxLength: 100 }') => {
      const files = { ...smallRubricFiles, 'cases/public.jsonl': cases('p', publicOnes), 'cases/hidden.jsonl': cases('h', hidden) };
      const yaml = smallRubricYaml.replaceAll('expected/capital', 'expected/label').replace('{ type: string, maxLength: 100 }', schema);
      const loaded = rubricFromFiles(bytesOf({ ...files, 'rubric.yaml': yaml }), '/rubric');
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
      return loaded.rubric;
    };
    const constant = (rubric: LoadedRubric, name = 'constant') => {
      const found = nullSuite(rubric, rubric.rubric.phases[0]!, 'seed').find((one) => one.name === name)?.document;
      return found?.kind === 'answers' ? found.answers : undefined;
    };
    const label = (...labels: Json[]) => labels.map((one) => ({ label: one }));
    const hidden = label('yes', 'no', 'yes', 'yes', 'yes', 'no', 'yes', 'yes', 'yes', 'yes');
    const rubric = labelled(label('no', 'no', 'yes'), hidden);
    const answers = constant(rubric);
    expect(answers).toMatchObject({ p0: 'no', p2: 'no', h0: 'yes', h1: 'yes', h9: 'yes' });
    // Two of three public cases and eight of ten hidden ones.
    expect(await scoreOf(rubric, answers ?? {})).toBeCloseTo(10 / 13, 10);
    // What one case alone expects is no guess; where nothing is shared the text says nothing at all.
    expect(constant(labelled(label('a', 'b'), label('c', 'd')))).toMatchObject({ p0: 'the answer', h1: 'the answer' });
    // Truth values, lists that are cut to what the form takes, and every place in `expected`.
    expect(constant(labelled(label(false, false, true), label(true, true), '{ type: boolean }'))).toMatchObject({ p2: false, h0: true });
    const lists = labelled(
      [{ label: ['a', 'b'] }, { label: ['b', 'c'] }, { label: ['b', 'c'] }],
      label('x'),
      '{ type: array, maxItems: 2, items: { type: string } }',
    );
    expect(constant(lists)).toMatchObject({ p0: ['b', 'c'] });
    const wide = labelled(
      [
        { kind: 'attack', label: 'yes' },
        { kind: 'attack', label: 'yes' },
      ],
      [
        { kind: 'attack', label: 'no' },
        { kind: 'attack', label: 'no' },
      ],
    );
    expect(constant(wide)).toMatchObject({ p0: 'attack', h0: 'attack' });
    expect(constant(wide, 'constant-2')).toMatchObject({ p0: 'yes', h0: 'no' });
  });

  it('fills templates, and lists of which every case takes one text', () => {
    const prompts = (more: string) =>
      load(
        smallRubricYaml
          .replace(/- kind: answers\n {4}schema: .*/, `- kind: prompts\n    maxCharacters: 60\n    ${more}`)
          .replace('cases:', 'targets: [{ name: t, provider: simulated, model: secret-keeper }]\ncases:'),
      );
    const template = prompts('template: { slot: goal, fill: input/country }');
    const suite = nullSuite(template, template.rubric.phases[0]!, 'seed');
    const of = (wanted: string) => suite.find(({ name }) => name === wanted)?.document;
    expect(of('bare')).toEqual({ kind: 'prompts', prompts: { template: '{goal}' } });
    expect(of('constant')).toEqual({ kind: 'prompts', prompts: { template: 'the answer {goal}' } });
    const verbose = of('verbose');
    expect(verbose?.kind === 'prompts' && verbose.prompts.template).toMatch(/^There are many sides.* \{goal\}$/);
    expect(suite.length).toBeGreaterThan(12);
  });

  it('tries what moves judges where judges grade', async () => {
    const judged = load(
      smallRubricYaml
        .replace(
          'cases:',
          'judges: [{ name: j, provider: simulated, model: simulated-judge-honest }]\njudging: { calls: 9, inputTokens: 9, outputTokens: 9, costMicros: 0 }\ncases:',
        )
        .replace('maxLength: 100', 'maxLength: 1000'),
    );
    const found = nullSuite(judged, judged.rubric.phases[0]!, 'seed').map(({ name }) => name);
    // Two of the master keys are in every suite, and no submission comes twice.
    const others = judgeAttacks.filter(({ name }) => name !== 'master-key-colon' && name !== 'master-key-thought');
    for (const { name, onlyForYes } of others) {
      expect(found).toContain(`judge-${name}-yes`);
      expect(found.includes(`judge-${name}-no`)).toBe(onlyForYes !== true);
    }
  });

  it('writes reports that a person has to read, with the evidence that is asked for', () => {
    const report = load(smallRubricYaml.replace(/- kind: answers\n {4}schema: .*/, '- kind: report\n    minEvidence: 2'));
    const suite = nullSuite(report, report.rubric.phases[0]!, 'seed');
    expect(suite.map(({ name }) => name)).toContain('empty');
    expect(suite.length).toBeGreaterThan(10);
    for (const { document } of suite) expect(document).toMatchObject({ kind: 'report', evidence: [{}, {}] });
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
  expect(sampleOf({ enum: ['yes', 'no'] }, () => 'no')).toBe('no');
  expect(sampleOf({ enum: ['yes', 'no'] }, text)).toBe('yes');
  expect(sampleOf({ type: 'number', maximum: 9 }, () => '2.5')).toBe(2.5);
  expect(sampleOf({ type: 'integer', minimum: 1 }, () => '2.5')).toBe(1);
});
