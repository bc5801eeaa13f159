import { describe, expect, it } from 'vitest';
import { wordCases, wordRubric, wordRubricOf } from '../test/setup/evaluation.ts';
import { differences } from './comparable.ts';

const before = wordRubricOf();
const cases = (prefix: string, count: number, change: (id: string) => object) =>
  wordCases(prefix, count).map((one) => ({ ...one, ...change(one.id) }));

describe('versions that differ in grading alone', () => {
  it.each<[string, Parameters<typeof wordRubricOf>]>([
    ['nothing', []],
    [
      'criteria',
      [{ criteria: [{ name: 'long', title: 'Long', grader: { kind: 'equals', of: 'answer', to: 'expected/word' }, weight: 2 }] }],
    ],
    [
      'metrics, pass rule, feedback',
      [
        {
          metrics: [...wordRubric.metrics, { name: 'again', title: 'Again', kind: 'mean', of: 'case-score' }],
          pass: { threshold: 0.1 },
          feedback: { hiddenRounding: 0.1 },
        },
      ],
    ],
    ['expected answers', [{}, { public: cases('p', 3, () => ({ expected: { word: 'other' } })) }]],
    ['the order of cases', [{}, { public: wordCases('p', 3).reverse() }]],
    ['titles', [{ title: 'Another title', phases: wordRubric.phases.map((phase) => ({ ...phase, title: 'Other' })) }]],
    ['a file that only graders read', [{}, {}, { 'words.txt': 'word' }]],
  ])('%s', (_, given) => expect(differences(before, wordRubricOf(...given))).toEqual([]));
});

describe('versions that differ in what a submission met', () => {
  it.each<[string, Parameters<typeof wordRubricOf>, RegExp]>([
    ['another challenge', [{ name: 'other' }], /another challenge/],
    ['forms', [{ submission: [{ kind: 'answers', schema: { type: 'string' } }, ...wordRubric.submission.slice(1)] }], /submission forms/],
    ['targets', [{ targets: [{ ...wordRubric.targets[0], model: 'louder' }, wordRubric.targets[1]] }], /targets/],
    ['budget', [{ budget: { ...wordRubric.budget, calls: 999 } }], /budget/],
    ['secrets', [{ secrets: [{ name: 'code', length: 8 }] }], /secrets/],
    ['limits', [{ sandbox: { ...wordRubric.sandbox, profiles: ['js'] } }], /sandbox/],
    ['trials', [{ trials: 2 }], /repeats/],
    ['phases', [{ phases: wordRubric.phases.slice(0, 1) }], /phases/],
    [
      'inputs',
      [{}, { public: cases('p', 3, (id) => (id === 'p1' ? { input: { prompt: 'other' } } : {})) }],
      /^public cases have another key, input or target: p1$/,
    ],
    ['keys', [{}, { hidden: cases('h', 2, (id) => ({ key: `key ${id}` })) }], /^hidden cases have another key/],
    ['a case less', [{}, { public: wordCases('p', 2) }], /^public cases are missing.*: p2$/],
    ['many cases more', [{}, { hidden: wordCases('h', 12) }], /^hidden cases are new.*: h2, h3, h4, h5, h6 and 5 more$/],
  ])('%s', (_, given, said) => {
    const found = differences(before, wordRubricOf(...given));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(said);
  });

  it('names every difference, and recordings that a target replays', () => {
    const replaying = (text: string, more: object = {}) =>
      wordRubricOf({ targets: [{ name: 'parrot', provider: 'replay', model: 'replay.jsonl' }], ...more }, {}, { 'replay.jsonl': text });
    expect(differences(replaying('\n'), replaying('\n\n'))).toEqual([expect.stringContaining('replay.jsonl')]);
    expect(differences(replaying('\n'), replaying('\n\n', { trials: 3 }))).toHaveLength(2);
  });
});
