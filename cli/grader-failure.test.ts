import { describe, expect, it } from 'vitest';
import { graderFailureText } from './grader-failure.ts';

const failure = { path: 'graders/a.py', caseId: 'p0', message: 'program_error: KeyError', log: '' };

describe('what a grader program said', () => {
  it('is one line when it printed nothing', () => {
    expect(graderFailureText(failure)).toBe('graders/a.py failed on case p0: program_error: KeyError\n');
  });

  it('shows what it printed, and the end of much', () => {
    expect(graderFailureText({ ...failure, log: 'one\ntwo\n' })).toContain('\n  it printed:\n  one\n  two\n');
    const long = graderFailureText({ ...failure, log: `first${'x'.repeat(10_000)}last` });
    expect(long).toMatch(/last\n$/);
    expect(long).not.toContain('first');
    expect(long.length).toBeLessThan(4_200);
  });

  it('moves no cursor', () => {
    const text = graderFailureText({ ...failure, message: '\u001b[2Jgone', log: '\u001b[1A\u202eall well\n' });
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\u202e');
  });
});
