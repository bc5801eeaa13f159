import { describe, expect, it } from 'vitest';
import { GraderSpec } from '../../contracts/graders.ts';
import { exchange, gradingContext } from '../../test/setup/rubrics.ts';
import { compileGrader } from './compile.ts';
import { patternProblem } from './regex.ts';

const grader = (parts: object) => compileGrader(GraderSpec.parse({ kind: 'regex', of: 'replies', ...parts }), () => '');
const on = (...replies: string[]) => gradingContext({ transcript: replies.map((reply) => exchange(reply)) });

describe('regex', () => {
  it.each<[string, object, string[], number, number]>([
    ['finds one anywhere', { pattern: 'flag\\{\\w+\\}' }, ['no', 'a flag{x1} b'], 1, 1],
    ['is case-sensitive', { pattern: 'FLAG' }, ['flag'], 0, 0],
    ['ignores case when told', { pattern: 'FLAG', flags: ['ignore-case'] }, ['flag'], 1, 1],
    ['anchors lines when told', { pattern: '^b$', flags: ['multiline'] }, ['a\nb\nc'], 1, 1],
    ['crosses lines when told', { pattern: 'a.b', flags: ['dot-all'] }, ['a\nb'], 1, 1],
    ['counts over all texts', { pattern: 'x', atLeast: 3 }, ['xx', 'x'], 1, 3],
    ['stops counting when it is decided', { pattern: 'x', atLeast: 1, atMost: 2 }, ['xxxxxx'], 0, 3],
    ['forbids', { pattern: 'x', atLeast: 0, atMost: 0 }, ['abc'], 1, 0],
    ['forbids in any text', { pattern: 'x', atLeast: 0, atMost: 0 }, ['abc', 'axc'], 0, 1],
    ['wants the whole text', { pattern: '[a-z]+', match: 'whole' }, ['abc1'], 0, 0],
    ['counts whole texts', { pattern: '[a-z]+', match: 'whole', atLeast: 2 }, ['abc', '1', 'd'], 1, 2],
    ['normalises first', { pattern: '^yes$', normalise: ['trim', 'lower'] }, [' YES '], 1, 1],
    ['moves on over empty matches', { pattern: 'y*', atLeast: 3 }, ['ab'], 1, 3],
  ])('%s', async (_, parts, replies, score, matches) => {
    expect(await grader(parts)(on(...replies))).toMatchObject({ status: 'graded', score, evidence: { matches } });
  });

  it('gives nothing for no text, even where nothing must occur', async () => {
    expect(await grader({ pattern: 'x', atLeast: 0, atMost: 0 })(on())).toMatchObject({ status: 'graded', score: 0 });
  });

  it('errs on a text it cannot search in bounded time, instead of searching a part', async () => {
    const result = await grader({ pattern: 'x', atLeast: 0, atMost: 0 })(on('a'.repeat(1_000_001)));
    expect(result).toMatchObject({ status: 'error', score: null, evidence: { faultOf: 'participant' } });
  });

  it('names what RE2 does not have', () => {
    for (const pattern of ['(a', '(?=a)b', '(a)\\1', 'a**', '((a{100}){100}){100}']) expect(patternProblem(pattern)).toContain('RE2');
    expect(patternProblem('(a+)+$')).toBeNull();
  });

  it('refuses a pattern of very many states, and gives one of many a shorter text', async () => {
    expect(patternProblem('(?:a?){400}a{400}b')).toContain('states');
    const slow = grader({ pattern: '(?:a?){100}a{100}b', atLeast: 20 });
    expect(await slow(on(`b${'a'.repeat(100_000)}`))).toMatchObject({ status: 'error', evidence: { faultOf: 'participant' } });
    expect(await slow(on(`b${'a'.repeat(1000)}`))).toMatchObject({ status: 'graded', score: 0 });
  });

  it('is linear where a backtracking engine takes years', async () => {
    const startedAt = performance.now();
    expect(await grader({ pattern: '^(a+)+$' })(on(`${'a'.repeat(100_000)}!`))).toMatchObject({ score: 0 });
    expect(await grader({ pattern: '(.*)*(.*)*x$' })(on('ab '.repeat(30_000)))).toMatchObject({ score: 0 });
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});
