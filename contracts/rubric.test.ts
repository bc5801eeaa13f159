import { describe, expect, it } from 'vitest';
import { wordRubric } from '../test/setup/evaluation.ts';
import { Rubric } from './rubric.ts';

const criteria = [{ name: 'given', title: 'The word', grader: { kind: 'equals', of: 'answer', to: 'expected/word' } }];
const program = { kind: 'program', schema: { type: 'string' } };
const image = { kind: 'image', schema: { type: 'string' } };
const bounties = [{ name: 'first', threshold: 1, amountMinor: 100, currency: 'EUR', count: 1 }];

const problemsOf = (changes: Record<string, unknown>) => {
  const parsed = Rubric.safeParse({ ...wordRubric, demonstration: false, criteria, submission: [program], ...changes });
  return parsed.success ? [] : parsed.error.issues.map((issue) => [issue.path.join('/'), issue.message]);
};

describe('where a rubric lets submitted code run', () => {
  it('is in containers when money hangs on it or gVisor is demanded', () => {
    const only = [['sandbox/profiles', expect.stringContaining('offer "node" or "python"')]];
    expect(problemsOf({ bounties, sandbox: { profiles: ['js'] } })).toEqual(only);
    expect(problemsOf({ sandbox: { profiles: ['js'], runtime: 'runsc' } })).toEqual(only);
    expect(problemsOf({ bounties, sandbox: { profiles: ['js', 'image'] } })).toEqual(only);
    expect(problemsOf({ bounties, sandbox: { profiles: ['js', 'node'] } })).toEqual([]);
    expect(problemsOf({ bounties, submission: [{ kind: 'answers', schema: {} }], sandbox: { profiles: ['js'] } })).toEqual([]);
    expect(problemsOf({ sandbox: { profiles: ['js'] } })).toEqual([]);
  });

  it('cannot be the small sandbox when cases share state', () => {
    expect(problemsOf({ sandbox: { profiles: ['js', 'node'], cases: 'shared' } })).toEqual([
      ['sandbox/cases', expect.stringContaining('starts every case afresh')],
    ]);
    expect(problemsOf({ sandbox: { profiles: ['node'], cases: 'shared' } })).toEqual([]);
    expect(problemsOf({ sandbox: { profiles: ['node'], cases: 'shared', limits: { artifacts: { files: 1 } } } })).toEqual([
      ['sandbox/limits/artifacts', expect.stringContaining('share a process')],
    ]);
  });

  it('must be named for images', () => {
    const missing = [['sandbox/profiles', expect.stringContaining('must name the profile "image"')]];
    expect(problemsOf({ submission: [image], sandbox: { profiles: ['python'] } })).toEqual(missing);
    expect(problemsOf({ submission: [image], sandbox: undefined })).toEqual(missing);
    expect(problemsOf({ submission: [image], sandbox: { profiles: ['image'] } })).toEqual([]);
  });
});
