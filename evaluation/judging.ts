import type { ChatResult } from '../contracts/chat.ts';
import type { Grade } from '../contracts/evaluation.ts';
import { everyGrader, type GraderSpec } from '../contracts/graders.ts';
import type { JudgeSpec } from '../contracts/judging.ts';
import type { JudgeDoor } from '../gateway/session.ts';
import type { CompiledCriterion } from '../rubrics/grade-case.ts';
import type { JudgeAccess } from '../rubrics/judging/access.ts';
import { openBatches } from '../rubrics/judging/batches.ts';
import type { EvaluationPlan } from './plan.ts';

/** How the graders of one evaluation reach its judges: the batches of all its cases, and each case through its own door. */
export interface Judging {
  accessOf(door: JudgeDoor, signal: AbortSignal): JudgeAccess;
}

/** Once per evaluation. Asks nobody: a rubric without judges costs nothing here. */
export function openJudging({ rubric, seed }: Pick<EvaluationPlan, 'rubric' | 'seed'>): Judging {
  const judges: ReadonlyMap<string, JudgeSpec> = new Map(rubric.rubric.judges.map((judge) => [judge.name, judge]));
  const batches = openBatches(() => performance.now());
  return {
    accessOf: (door, signal) => ({
      judges,
      seed,
      batches,
      ask: async (name, request, { fresh }) => {
        const judge = judges.get(name);
        const result = await door.chat({ ...request, target: name, temperature: 0 }, signal, { timeoutMs: judge?.timeoutMs, fresh });
        return judge?.provider === 'replay' ? explained(result) : result;
      },
    }),
  };
}

/** A recorded judge answers the requests of one seed: nonces and fences derive from it, so with another one none is the same. */
function explained(result: ChatResult): ChatResult {
  if (result.ok || result.fault.kind !== 'policy') return result;
  const message = `${result.fault.message}. A judge's requests hold nonces that derive from the seed: its recordings answer only with the seed they were made with (--seed), the same rubric and the same submission`;
  return { ok: false, fault: { ...result.fault, message: message.slice(0, 2000) } };
}

/**
 * Did a criterion that asks judges end in an error? Their replies, kept, would end the next attempt in the same one: a
 * retry asks with the same seed, hence with the same requests.
 */
export function judgesFailed(criteria: readonly CompiledCriterion[], grades: readonly Grade[]): boolean {
  const failed = new Set(grades.filter((grade) => grade.status === 'error').map((grade) => grade.criterion));
  return criteria.some(({ criterion }) => failed.has(criterion.name) && everyGrader(criterion.grader).some(asksJudges));
}

const asksJudges = ({ grader }: { grader: GraderSpec }): boolean => grader.kind === 'judge' || grader.kind === 'jury';
