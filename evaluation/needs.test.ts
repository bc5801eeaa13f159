import { describe, expect, it } from 'vitest';
import { Need, needFor, partsOf } from '../contracts/queue.ts';
import type { Profile } from '../contracts/sandbox.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import { wordRubricOf } from '../test/setup/evaluation.ts';
import { needOf, profileFor } from './needs.ts';

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

  const demanding = (profiles: Profile[], demands: { bounty?: true; runtime?: 'runsc' }) =>
    wordRubricOf({
      demonstration: false,
      sandbox: { profiles, ...(demands.runtime === undefined ? {} : { runtime: demands.runtime }) },
      bounties: demands.bounty ? [{ name: 'first', threshold: 1, amountMinor: 100, currency: 'EUR', count: 1 }] : [],
      criteria: [{ name: 'given', title: 'The word', grader: { kind: 'equals', of: 'answer', to: 'expected/word' } }],
      submission: [{ kind: 'program', schema: {} }, ...(profiles.includes('image') ? [{ kind: 'image', schema: {} }] : [])],
    }).rubric;
  const image: SubmissionDocument = { kind: 'image', image: `registry.example/a@sha256:${'0'.repeat(64)}` };

  it('says when the rubric demands gVisor or has bounties', () => {
    expect(needOf(demanding(['python'], { bounty: true }), program('python'))).toBe('python-bounty');
    expect(needOf(demanding(['python'], { runtime: 'runsc' }), program('python'))).toBe('python-gvisor');
    expect(needOf(demanding(['node'], { bounty: true, runtime: 'runsc' }), program('javascript'))).toBe('node-gvisor-bounty');
  });

  it('is never the small sandbox where money hangs on the result or gVisor is demanded, whoever asks for it', () => {
    for (const demands of [{ bounty: true }, { runtime: 'runsc' }] as const) {
      expect(profileFor(demanding(['js', 'node'], demands), { kind: 'program', language: 'javascript', source: 'x' })).toBe('node');
      expect(needOf(demanding(['js', 'node'], demands), program('javascript', 'js'))).toBeNull();
      expect(needOf(demanding(['js', 'python'], demands), program('javascript'))).toBeNull();
    }
  });

  it('of an image is a worker that runs images', () => {
    expect(needOf(demanding(['python', 'image'], {}), image)).toBe('image');
    expect(needOf(demanding(['python', 'image'], { bounty: true, runtime: 'runsc' }), image)).toBe('image-gvisor-bounty');
    expect(needOf(demanding(['python'], {}), image)).toBeNull();
  });

  const graded = (profile: 'js' | 'node' | 'python', changes: Record<string, unknown> = {}) => {
    const language = profile === 'python' ? 'python' : 'javascript';
    const grader = { kind: 'program', path: 'graders/g', language, profile };
    return wordRubricOf(
      {
        submission: [
          { kind: 'answers', schema: {} },
          { kind: 'program', schema: {} },
        ],
        sandbox: { profiles: ['js', 'node', 'python'] },
        criteria: [{ name: 'judged', title: 'Judged', grader: { kind: 'not', part: grader } }],
        ...changes,
      },
      {},
      { 'graders/g': 'x' },
    ).rubric;
  };

  it('is where the grader programs run when the submission holds no code', () => {
    const answers = { kind: 'answers', answers: {} } as const;
    expect(needOf(graded('python'), answers)).toBe('python');
    expect(needOf(graded('js'), answers)).toBe('js');
    const paid = { demonstration: false, bounties: [{ name: 'b', threshold: 1, amountMinor: 1, currency: 'EUR', count: 1 }] };
    expect(needOf(graded('python', paid), answers)).toBe('python-bounty');
    expect(needOf(graded('node', { sandbox: { profiles: ['node'], runtime: 'runsc' } }), answers)).toBe('node-gvisor');
  });

  it('is the container of the submission before that of a grader, and either before the small sandbox', () => {
    expect(needOf(graded('python'), program('javascript', 'node'))).toBe('node');
    expect(needOf(graded('python'), program('javascript', 'js'))).toBe('python');
    expect(needOf(graded('js'), program('python'))).toBe('python');
    expect(needOf(graded('js'), program('javascript', 'js'))).toBe('js');
  });

  it('looks at no grader of other kinds of submission', () => {
    const grader = { kind: 'program', path: 'graders/g', language: 'python', profile: 'python' };
    const criteria = [
      { name: 'judged', title: 'Judged', grader, for: ['program'] },
      { name: 'given', title: 'Given', grader: { kind: 'equals', of: 'answer', to: 'expected/word' }, for: ['answers'] },
    ];
    const rubric = graded('python', { criteria, metrics: [{ name: 'score', title: 'Score', kind: 'mean', of: 'case-score' }] });
    expect(needOf(rubric, { kind: 'answers', answers: {} })).toBe('none');
    expect(needOf(rubric, program('javascript', 'js'))).toBe('python');
  });

  it('comes apart into what it was made of', () => {
    for (const need of Need.options) {
      const { profile, ...demands } = partsOf(need);
      expect(profile === null ? 'none' : needFor(profile, demands)).toBe(need);
    }
  });
});
