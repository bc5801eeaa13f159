import type { CaseView } from '../../../contracts/api.ts';
import type { CaseFilter } from '../search.ts';

export interface CaseEndWords {
  icon: string;
  word: string;
  tone: 'good' | 'plain' | 'bad' | 'warn';
}

/** How a case ended, as icon and word. A graded case is named by its score: full, part or zero. */
export function caseEnd(view: Pick<CaseView, 'end' | 'limit' | 'score'>): CaseEndWords {
  switch (view.end) {
    case 'answered':
      if (view.score === null) return { icon: '?', word: 'no score', tone: 'warn' };
      if (view.score >= 1) return { icon: '✓', word: 'full score', tone: 'good' };
      return view.score > 0 ? { icon: '◐', word: 'part', tone: 'plain' } : { icon: '✗', word: 'zero', tone: 'plain' };
    case 'missing':
      return { icon: '–', word: 'no answer', tone: 'plain' };
    case 'fault':
      return { icon: '!', word: 'program fault', tone: 'bad' };
    case 'limit':
      return { icon: '◔', word: view.limit ? `${view.limit} limit` : 'limit', tone: 'bad' };
    default:
      return { icon: '⚠', word: 'platform error', tone: 'warn' };
  }
}

/** `failed`: less than the full score by the submission's doing; `errors`: the platform's. */
export function matchesFilter(view: Pick<CaseView, 'end' | 'score' | 'grades'>, filter: CaseFilter): boolean {
  const error = view.end === 'error' || view.grades.some((grade) => grade.status === 'error');
  if (filter === 'errors') return error;
  if (filter === 'failed') return !error && (view.score === null || view.score < 1);
  return true;
}
