import { describe, expect, it } from 'vitest';
import type { SubmissionDocument } from '../../contracts/submission.ts';
import { halfOf, repeats, shortened } from './variants.ts';

const answers = (values: Extract<SubmissionDocument, { kind: 'answers' }>['answers']): SubmissionDocument => ({
  kind: 'answers',
  answers: values,
});
const prompts = (values: Record<string, string | string[]>): SubmissionDocument => ({ kind: 'prompts', prompts: values });

describe('ways to say the same again', () => {
  it('entries: every list at every depth holds each entry twice', () => {
    expect(repeats.entries(answers({ a: ['x', 'y'], b: { guesses: [['z']] } }))).toEqual(
      answers({
        a: ['x', 'x', 'y', 'y'],
        b: {
          guesses: [
            ['z', 'z'],
            ['z', 'z'],
          ],
        },
      }),
    );
    expect(repeats.entries(answers({ a: 'text', b: 1 }))).toBeNull();
    expect(repeats.entries(prompts({ a: ['x'] }))).toBeNull();
  });

  it('last-message: the last message of each conversation comes again', () => {
    expect(repeats['last-message'](prompts({ a: ['x', 'y'], b: 'z' }))).toEqual(prompts({ a: ['x', 'y', 'y'], b: ['z', 'z'] }));
    expect(repeats['last-message'](answers({ a: 'x' }))).toBeNull();
  });

  it('text: every text stands twice', () => {
    expect(repeats.text(answers({ a: ['x', 1, ''], b: { t: 'y' } }))).toEqual(answers({ a: ['x x', 1, ''], b: { t: 'y y' } }));
    expect(repeats.text(prompts({ a: ['x', 'y'] }))).toEqual(prompts({ a: ['x x', 'y y'] }));
    expect(repeats.text({ kind: 'defence', systemPrompt: 'Be kind.' })).toEqual({ kind: 'defence', systemPrompt: 'Be kind. Be kind.' });
    expect(repeats.text(answers({ a: 1 }))).toBeNull();
    expect(repeats.text({ kind: 'program', language: 'python', source: 'pass' })).toBeNull();
  });
});

it('half of the answers stays, drawn from the seed and unchanged', () => {
  const all = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`c${i}`, `answer ${i}`]));
  const half = halfOf(answers(all), 'seed');
  expect(half).toEqual(halfOf(answers(all), 'seed'));
  expect(half).not.toEqual(halfOf(answers(all), 'other'));
  const kept = half?.kind === 'answers' ? half.answers : {};
  expect(Object.keys(kept)).toHaveLength(10);
  expect(all).toMatchObject(kept);
  expect(halfOf({ kind: 'defence', systemPrompt: 'x' }, 'seed')).toBeNull();
});

it('shortened cuts lists to their first half, and nothing else', () => {
  expect(shortened(answers({ a: ['x', 'y', 'z'], b: { l: [1, 2] }, c: 't' }))).toEqual(answers({ a: ['x', 'y'], b: { l: [1] }, c: 't' }));
  expect(shortened(answers({ a: ['x'], c: 't' }))).toBeNull();
  expect(shortened(prompts({ a: ['x', 'y'], b: 'z' }))).toEqual(prompts({ a: ['x'], b: 'z' }));
});
