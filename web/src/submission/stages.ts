import type { EvaluationView } from '../../../contracts/api.ts';
import type { Status } from '../../../contracts/status.ts';

export const strip = ['received', 'screening', 'queued', 'running', 'grading', 'verifying', 'done'] as const;
export type Stage = (typeof strip)[number];
export interface StageView {
  stage: Stage;
  state: 'past' | 'current' | 'ahead' | 'skipped';
  /** How long it took, in ms; null while it runs or when it is not known. */
  tookMs: number | null;
  enteredAt: string | null;
}

/**
 * The stages of an evaluation as a strip. A parked evaluation stands at the last stage it reached. When it ended early
 * (cancelled, refused at screening) the stages it never entered are `skipped`, not `past`: a tick would claim work that
 * was not done.
 */
export function stagesOf(
  evaluation: Pick<EvaluationView, 'status' | 'outcome' | 'createdAt' | 'startedAt' | 'doneAt'>,
  entered: Partial<Record<Status, string>>,
): StageView[] {
  const times: Partial<Record<Status, string>> = {
    received: evaluation.createdAt,
    ...(evaluation.doneAt ? { done: evaluation.doneAt } : {}),
    ...entered,
  };
  const at = standingAt(evaluation.status, times);
  const known = strip.filter((stage) => times[stage] !== undefined).length > 2;
  return strip.map((stage, place) => {
    const enteredAt = times[stage] ?? null;
    if (evaluation.status !== 'done' && place === at) return { stage, state: 'current', tookMs: null, enteredAt };
    if (place > at) return { stage, state: 'ahead', tookMs: null, enteredAt: null };
    const skipped = enteredAt === null && known && evaluation.status === 'done';
    return { stage, state: skipped ? 'skipped' : 'past', tookMs: took(stage, times), enteredAt };
  });
}

function standingAt(status: Status, times: Partial<Record<Status, string>>): number {
  if (status !== 'parked') return strip.indexOf(status);
  return Math.max(0, ...strip.map((stage, place) => (stage !== 'done' && times[stage] !== undefined ? place : 0)));
}

function took(stage: Stage, times: Partial<Record<Status, string>>): number | null {
  const from = times[stage];
  const next = strip.slice(strip.indexOf(stage) + 1).find((later) => times[later] !== undefined);
  const to = next ? times[next] : undefined;
  if (stage === 'done' || from === undefined || to === undefined) return null;
  return Math.max(0, Date.parse(to) - Date.parse(from));
}
