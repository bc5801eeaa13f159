import type { CaseResult } from '../contracts/evaluation.ts';
import { FaultOf, type Reason } from '../contracts/status.ts';
import type { Exchange } from '../contracts/chat.ts';

/** Why an evaluation cannot be judged now. Never the participant's fault: those are results. */
export type Stop = Pick<Reason, 'code' | 'faultOf' | 'message'>;

export const targetUnavailable = (message: string): Stop => ({
  code: 'target_unavailable',
  faultOf: 'target',
  message: `The target gave no reply: ${message}`,
});

/**
 * What keeps a case from being a result: a call whose transport failed (a program may have caught the error and
 * answered something, which says nothing about it), a sandbox that broke, a grader that broke. Null when it is one.
 */
export function stopOf(result: CaseResult, transcript: readonly Exchange[]): Stop | null {
  const broken = transcript.find((exchange) => exchange.fault?.kind === 'transport');
  if (broken) return targetUnavailable(broken.fault?.message ?? 'no reason given');
  if (result.end === 'error') {
    return { code: 'case_not_run', faultOf: 'platform', message: `A case could not be run: ${result.message ?? 'no reason given'}` };
  }
  const failed = result.grades.find((grade) => grade.status === 'error');
  if (failed === undefined) return null;
  const faultOf = FaultOf.safeParse(failed.evidence.faultOf);
  const why = typeof failed.evidence.message === 'string' ? failed.evidence.message : 'no reason given';
  return {
    code: 'grader_failed',
    faultOf: faultOf.success ? faultOf.data : 'platform',
    message: `The grader "${failed.grader}" of criterion "${failed.criterion}" failed: ${why}`,
  };
}
