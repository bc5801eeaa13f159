import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { SubmissionDocument } from '../contracts/submission.ts';
import { bytesOf, smallRubricFiles, smallRubricYaml } from '../test/setup/rubrics.ts';
import { checkSubmission } from './check-submission.ts';
import { rubricFromFiles } from './load.ts';
import { nullSuite } from './null-suite.ts';
import type { LoadedRubric, RubricProblem } from './rubric.ts';
import { rubricInWords } from './words.ts';

/** Checks of metrics that choose cases, of keys that cases share, and of prompts that are put together with a case's text. */
const small = parse(smallRubricYaml) as { metrics: object[]; phases: object[] };
type Cases = Partial<Record<'public' | 'hidden', object[]>>;

function load(changes: object, cases: Cases = {}) {
  const files: Record<string, string> = { ...smallRubricFiles, 'rubric.yaml': stringify({ ...small, ...changes }) };
  for (const [split, list] of Object.entries(cases))
    files[`cases/${split}.jsonl`] = `${list.map((one) => JSON.stringify(one)).join('\n')}\n`;
  return rubricFromFiles(bytesOf(files), '/rubric');
}
function problemsOf(changes: object, cases?: Cases): RubricProblem[] {
  const loaded = load(changes, cases);
  return loaded.ok ? [] : [...loaded.problems];
}
function loadedOf(changes: object, cases?: Cases): LoadedRubric {
  const loaded = load(changes, cases);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.rubric;
}
const about = (problem: object) => expect.objectContaining(problem);
const saying = (message: string) => about({ message: expect.stringContaining(message) });

describe('metrics that choose cases', () => {
  const criterion = 'right';
  const filtered = (of: string, is: string[]) => ({
    metrics: [{ name: 'accuracy', title: 'A', kind: 'mean', of: { criterion }, where: { of, is } }],
  });

  it.each(['group-mean', 'harmonic-mean', 'coverage'])('%s groups by what a case says, never by what a submission says', (kind) => {
    const grouped = (by: string) => ({ metrics: [{ name: 'accuracy', title: 'A', kind, criterion, by }] });
    expect(problemsOf(grouped('expected/capital'))).toEqual([]);
    for (const by of ['answer', 'replies', 'submission', 'secret/x'])
      expect(problemsOf(grouped(by))).toContainEqual(
        about({ path: 'metrics/0/by', message: expect.stringContaining('input or expected') }),
      );
    expect(problemsOf(grouped('expected/continent'))).toContainEqual(about({ file: 'cases/public.jsonl', line: 1 }));
  });

  it('a where reads the case too, and only texts that some case has', () => {
    expect(problemsOf(filtered('input/country', ['France', 'Kenya']))).toEqual([]);
    expect(problemsOf(filtered('answer', ['France']))).toContainEqual(about({ path: 'metrics/0/where/of' }));
    expect(problemsOf(filtered('input/country', ['France', 'Frnace']))).toContainEqual(saying('no case has "Frnace"'));
  });

  it('a where must find a case in every phase: nothing found would be 0, and one minus it perfect', () => {
    const phases = [...small.phases, { name: 'dev', title: 'Dev', splits: ['public'] }];
    const problems = problemsOf({ ...filtered('input/country', ['Kenya']), phases });
    expect(problems).toEqual([saying('finds no case in phase "dev"')]);
    expect(problems[0]?.line).toBeGreaterThan(1);
  });
});

describe('a key that several cases of a phase share', () => {
  const paris = { id: 'a', key: 'k', group: 'g', input: { country: 'France' }, expected: { capital: 'Paris' } };
  const shared = (change: object) => problemsOf({}, { public: [paris, { ...paris, id: 'b', input: { country: 'Gaul' }, ...change }] });

  it('is one answer to all of them when they share a group and differ', () => {
    expect(shared({})).toEqual([]);
  });

  it.each([
    ['without a group', { group: undefined }, 'must share a group'],
    ['with another group', { group: 'h' }, 'must share a group'],
    ['with the same input and target', { input: paris.input }, 'already in phase "all"'],
  ])('%s is a slip, said at its line', (_, change, message) => {
    expect(shared(change)).toEqual([
      about({ file: 'cases/public.jsonl', line: 2, path: 'key', message: expect.stringContaining(message) }),
    ]);
  });

  it('may be shared across splits, and by cases that differ in their target alone', () => {
    const targets = ['one', 'two'].map((name) => ({ name, provider: 'simulated', model: 'toy' }));
    const at = (id: string, target: string) => ({ ...paris, id, target });
    expect(problemsOf({ targets }, { public: [at('a', 'one')], hidden: [at('b', 'two')] })).toEqual([]);
    expect(problemsOf({ targets }, { public: [at('a', 'one')], hidden: [at('b', 'one')] })).toHaveLength(1);
  });
});

const target = { name: 'm', provider: 'simulated', model: 'toy' };
const prompts = (parts: object) => ({ submission: [{ kind: 'prompts', ...parts }], targets: [target] });
const template = prompts({ maxCharacters: 40, template: { slot: 'goal', fill: 'input/country' } });
const position = prompts({ maxMessages: 2, position: 'input/place' });
const placed = (id: string, place: unknown) => ({ id, key: 'k', group: 'k', input: { place, id }, expected: { capital: id } });

describe('prompts that are put together with the case', () => {
  it('are made in one way, from the input alone', () => {
    expect(problemsOf(template)).toEqual([]);
    const both = prompts({ template: { slot: 'goal', fill: 'input/country' }, position: 'input/place' });
    expect(problemsOf(both)).toContainEqual(saying('one of template, frame and position'));
    const leaking = prompts({ template: { slot: 'goal', fill: 'expected/capital' } });
    expect(problemsOf(leaking)).toContainEqual(
      about({ path: 'submission/0/template/fill', message: expect.stringContaining('from input') }),
    );
    expect(problemsOf(prompts({ maxMessages: 2, template: { slot: 'goal', fill: 'input/country' } }))).toContainEqual(
      saying('one message'),
    );
  });

  it('need their text in every case', () => {
    expect(problemsOf(prompts({ template: { slot: 'goal', fill: 'input/goal' } }))).toContainEqual(
      about({ file: 'cases/public.jsonl', line: 1 }),
    );
    expect(problemsOf(prompts({ frame: { slot: 'x', of: 'input/country' } }))).toContainEqual(saying('no text with {x}'));
    expect(problemsOf(position, { public: [placed('a', 1), placed('b', 3)], hidden: [placed('c', 2)] })).toContainEqual(
      about({ line: 2, message: expect.stringContaining('from 1 to 2') }),
    );
  });

  it('a template is one text with its slot, under its own key', () => {
    const rubric = loadedOf(template);
    const check = (given: Record<string, string | string[]>) =>
      checkSubmission(rubric.rubric, [...rubric.cases.public], { kind: 'prompts', prompts: given });
    expect(check({ template: 'About {goal}.' })).toMatchObject({ ok: true });
    expect(check({})).toMatchObject({ ok: true });
    const errorsOf = (given: Record<string, string | string[]>) => {
      const checked = check(given);
      return checked.ok ? [] : checked.errors.map(({ path }) => path);
    };
    expect(errorsOf({ template: 'About {gaol}.' })).toEqual(['prompts/template']);
    expect(errorsOf({ fr: 'About {goal}.' })).toEqual(['prompts/fr']);
    expect(errorsOf({ template: `{goal}${'x'.repeat(40)}` })).toEqual(['prompts/template']);
    expect(errorsOf({ template: ['{goal}', 'more'] })).toEqual(['prompts/template']);
  });

  const nullPrompts = (rubric: LoadedRubric) =>
    nullSuite(rubric, rubric.rubric.phases[0]!, 'seed').map(
      ({ document }) => (document as Extract<SubmissionDocument, { kind: 'prompts' }>).prompts,
    );

  it('the null suite can write a template, with its slot and within its length', () => {
    const written = nullPrompts(loadedOf(template)).filter((prompts) => Object.keys(prompts).length > 0);
    expect(written.length).toBeGreaterThan(5);
    for (const one of written) {
      expect(Object.keys(one)).toEqual(['template']);
      expect(one.template).toMatch(/\{goal\}$/);
    }
  });

  it('the null suite can write lists by position, with a text at every place', () => {
    const rubric = loadedOf(position, { public: [placed('a', 1), placed('b', 2)], hidden: [{ ...placed('c', 1), key: 'l', group: 'l' }] });
    const lists = nullPrompts(rubric).flatMap((prompts) => Object.values(prompts));
    expect(lists.length).toBeGreaterThan(10);
    for (const list of lists) expect(list).toHaveLength(2);
  });

  it('are described to participants', () => {
    const say = (changes: object) => {
      const [first] = rubricInWords(
        loadedOf(changes, changes === position ? { public: [placed('a', 1)], hidden: [placed('c', 2)] } : undefined).rubric,
        { public: 2, hidden: 1, holdout: 0 },
      );
      return first?.sentences[0];
    };
    expect(say(template)).toBe(
      'Prompts: one text for all cases of at most 40 characters, with {goal} where each case puts its own; we send it to the target.',
    );
    expect(say(position)).toContain('a list of up to 2 texts');
    expect(say(position)).toContain('in a conversation of its own');
  });
});

it('says every kind of metric in words', () => {
  const of = { criterion: 'right' };
  const metrics = [
    { name: 'a', title: 'A', kind: 'mean', of, where: { of: 'input/country', is: ['France', 'Kenya'] } },
    { name: 'b', title: 'B', kind: 'conditional-mean', of: 'case-score', given: 'right' },
    { name: 'c', title: 'C', kind: 'harmonic-mean', criterion: 'right', by: 'input/country' },
    { name: 'd', title: 'D', kind: 'coverage', criterion: 'right', by: 'input/country', atLeast: 0.25 },
    { name: 'e', title: 'E', kind: 'product', of: [{ metric: 'a' }, { metric: 'b', complement: true }] },
    { name: 'f', title: 'F', kind: 'difference', of: 'a', minus: 'b' },
    { name: 'g', title: 'G', kind: 'relative', of: 'f', base: 0.8 },
  ];
  const { rubric } = loadedOf({ metrics, score: 'g' });
  const words = rubricInWords(rubric, { public: 2, hidden: 1, holdout: 0 }).find(({ heading }) => heading === 'Score')!.sentences;
  const wanted = [
    'over the cases whose "input/country" is "France" or "Kenya"',
    'the mean of the case score over what "right" lets count',
    'the harmonic mean, over the groups of "input/country"',
    'the share of the groups of "input/country" in which the mean of "right" reaches 0.25',
    'the product of "a" and one minus "b"',
    '"a" minus "b"',
    '"f" divided by 0.8, at most 1',
  ];
  expect(words).toHaveLength(wanted.length + 1);
  for (const [i, part] of wanted.entries()) expect(words[i]).toContain(part);
});
