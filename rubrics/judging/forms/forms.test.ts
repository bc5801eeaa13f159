import { describe, expect, it } from 'vitest';
import type { Json } from '../../../contracts/json.ts';
import { Question } from '../../../contracts/judging.ts';
import { showTexts } from '../shown.ts';
import { formOf } from './compile.ts';
import type { Sight } from './form.ts';

const sight: Sight = {
  graded: showTexts(['It is Paris.'], 1_000),
  against: showTexts(['It is Lyon.'], 1_000),
  mark: '\uE000',
  order: 'forward',
  evidenceRequired: true,
};
const read = (question: object, fields: Json, changes: Partial<Sight> = {}) => {
  const found = formOf(Question.parse(question)).read(fields, { ...sight, ...changes });
  return found.ok ? found.reading : found.problem;
};
const sure = { confidence: 1, evidence: ['Paris'] };
const bare = { confidence: 0.5, evidence: [] };

const levels = [-2, 0, 2].map((value) => ({ value, means: `Level ${value}` }));
const scale = { form: 'scale', ask: 'How exact is it?', levels };
const criteria = {
  form: 'criteria',
  criteria: [
    { name: 'capital', ask: 'Is it the capital?', weight: 3 },
    { name: 'river', ask: 'Is it a river?', pass: 'no' },
  ],
};
const pairwise = { form: 'pairwise', ask: 'Which one is better?', against: 'expected' };
const strongreject = { form: 'strongreject' };

describe('a valid reply', () => {
  it.each<[object, Json, number]>([
    [scale, { level: 2, ...sure }, 1],
    [scale, { level: 0, ...sure }, 0.5],
    [scale, { level: -2, ...bare }, 0],
    [{ ...scale, atLeast: 2 }, { level: 0, ...sure }, 0],
    [{ ...scale, atLeast: 0 }, { level: 0, ...sure }, 1],
    [criteria, { criteria: { capital: { verdict: 'yes', ...sure }, river: { verdict: 'no', ...bare } } }, 1],
    [criteria, { criteria: { capital: { verdict: 'yes', ...sure }, river: { verdict: 'yes', ...sure } } }, 0.75],
    [criteria, { criteria: { capital: { verdict: 'no', ...bare }, river: { verdict: 'no', ...bare } } }, 0.25],
    [strongreject, { refused: 'no', specific: 5, convincing: 4, ...sure }, 7 / 8],
    [strongreject, { refused: 'yes', specific: 5, convincing: 5, ...bare }, 0],
    [{ ...strongreject, variant: 'inspect' }, { refused: 'no', specific: 1, convincing: 1, ...sure }, 0.2],
    [pairwise, { verdict: 'first', ...sure }, 1],
    [pairwise, { verdict: 'second', confidence: 1, evidence: ['Lyon'] }, 0],
    [pairwise, { verdict: 'tie', confidence: 1, evidence: ['Lyon', 'Paris'] }, 0.5],
  ])('of %j, %j, scores %d', (question, fields, score) => {
    expect(read(question, fields)).toMatchObject({ score });
  });

  it('of the reversed order turns the pair around', () => {
    expect(read(pairwise, { verdict: 'second', ...sure }, { order: 'reversed' })).toMatchObject({ score: 1 });
    expect(read(pairwise, { verdict: 'first', confidence: 1, evidence: ['Lyon'] }, { order: 'reversed' })).toMatchObject({ score: 0 });
  });

  it('is as sure as its least sure part, and says when it rests on an absence', () => {
    const fields = { criteria: { capital: { verdict: 'yes', ...sure }, river: { verdict: 'no', ...bare } } };
    expect(read(criteria, fields)).toMatchObject({ confidence: 0.5, byAbsence: true });
    expect(read(scale, { level: 2, ...sure })).toMatchObject({ byAbsence: false });
  });

  it('needs no quote where evidence is optional, but one that is given must be right', () => {
    expect(read(scale, { level: 2, ...bare }, { evidenceRequired: false })).toMatchObject({ score: 1 });
    expect(read(scale, { level: 2, confidence: 1, evidence: ['Rome'] }, { evidenceRequired: false })).toContain('does not occur');
  });
});

describe('an invalid reply', () => {
  const one = { verdict: 'yes', ...sure };
  it.each<[object, Json, string]>([
    [scale, { level: 1, ...sure }, 'a level that the scale does not have'],
    [scale, { level: 100, ...sure }, 'a level that the scale does not have'],
    [scale, { level: '2', ...sure }, '"level"'],
    [scale, { level: 1.5, ...sure }, '"level"'],
    [scale, { level: 0, ...bare }, 'without a quote'],
    [criteria, { criteria: { capital: one } }, 'river'],
    [criteria, { criteria: { capital: one, river: one, pass: one } }, 'criteria'],
    [criteria, { criteria: { capital: one, river: { verdict: 'yes', ...bare } } }, 'without a quote (criterion "river")'],
    [criteria, { criteria: [one, one] }, 'criteria'],
    [strongreject, { refused: 'no', specific: 5, convincing: 5, ...bare }, 'without a quote'],
    [strongreject, { refused: 'no', specific: 6, convincing: 5, ...sure }, 'specific'],
    [strongreject, { refused: 0, specific: 5, convincing: 5, ...sure }, 'refused'],
    [pairwise, { verdict: 'first', ...bare }, 'without a quote'],
    [pairwise, { verdict: 'first', confidence: 1, evidence: ['Lyon'] }, 'does not occur'],
    [pairwise, { verdict: 'both', ...sure }, 'verdict'],
  ])('of %j, %j, is none: %s', (question, fields, problem) => {
    expect(read(question, fields)).toContain(problem);
  });
});

it('every form requires all of its properties and forbids others, as strict tools demand', () => {
  for (const question of [{ form: 'yes-no', ask: 'Is it good?' }, scale, criteria, pairwise, strongreject]) {
    const { properties } = formOf(Question.parse(question));
    const text = JSON.stringify(properties);
    expect(text).not.toMatch(/minimum|maximum|maxLength|maxItems|pattern/);
    for (const part of objectsIn(properties))
      expect([part.additionalProperties, part.required]).toEqual([false, Object.keys(part.properties as object)]);
  }
});

/** Every object schema within a schema. */
function objectsIn(schema: Json): Record<string, Json>[] {
  if (schema === null || typeof schema !== 'object') return [];
  const inner = Object.values(schema).flatMap(objectsIn);
  return !Array.isArray(schema) && schema.type === 'object' ? [schema, ...inner] : inner;
}
