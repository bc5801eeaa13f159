import { describe, expect, it } from 'vitest';
import type { Profile } from '../contracts/sandbox.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import { wordRubricOf } from '../test/setup/evaluation.ts';
import { needOf } from './needs.ts';

const program = (language: 'javascript' | 'python', profile?: Profile): SubmissionDocument => ({
  kind: 'program',
  language,
  source: 'x',
  ...(profile === undefined ? {} : { profile }),
});
const offering = (...profiles: Profile[]) => wordRubricOf({ sandbox: { profiles } }).rubric;

describe('what a submission needs of a worker', () => {
  it('is nothing where no submitted code runs', () => {
    expect(needOf(offering('js'), { kind: 'answers', answers: {} })).toBe('none');
    expect(needOf(offering('js'), { kind: 'defence', systemPrompt: '' })).toBe('none');
  });

  it('is the first profile of the rubric that speaks the language', () => {
    expect(needOf(offering('python', 'js', 'node'), program('javascript'))).toBe('js');
    expect(needOf(offering('node', 'js'), program('javascript'))).toBe('node');
    expect(needOf(offering('js', 'python'), program('python'))).toBe('python');
  });

  it('is the profile asked for when the rubric offers it and it speaks the language, else none there is', () => {
    expect(needOf(offering('js', 'node'), program('javascript', 'node'))).toBe('node');
    expect(needOf(offering('js'), program('javascript', 'node'))).toBeNull();
    expect(needOf(offering('js', 'python'), program('javascript', 'python'))).toBeNull();
    expect(needOf(offering('js'), program('python'))).toBeNull();
  });
});
