import { expect, it } from 'vitest';
import { caseEnd, matchesFilter } from './case-end.ts';

it('names every end in words', () => {
  const words = (end: string, score: number | null, limit: 'memory' | null = null) => caseEnd({ end, score, limit }).word;
  expect([words('answered', 1), words('answered', 0.5), words('answered', 0), words('answered', null)]).toEqual([
    'full score',
    'part',
    'zero',
    'no score',
  ]);
  expect([words('missing', 0), words('fault', 0), words('limit', 0, 'memory'), words('error', null)]).toEqual([
    'no answer',
    'program fault',
    'memory limit',
    'platform error',
  ]);
});

it('keeps what the participant failed apart from what the platform failed', () => {
  const grade = { criterion: 'c', grader: 'g', score: null, evidence: {} };
  const graderError = { end: 'answered', score: null, grades: [{ ...grade, status: 'error' as const }] };
  expect([matchesFilter(graderError, 'errors'), matchesFilter(graderError, 'failed')]).toEqual([true, false]);
  expect(matchesFilter({ end: 'limit', score: 0, grades: [] }, 'failed')).toBe(true);
  expect(matchesFilter({ end: 'answered', score: 1, grades: [] }, 'failed')).toBe(false);
  expect(matchesFilter({ end: 'answered', score: 1, grades: [] }, 'all')).toBe(true);
});
