import type { CaseResult, Verdict } from '../contracts/evaluation.ts';
import { FaultOf, type Reason } from '../contracts/status.ts';
import type { Exchange } from '../contracts/chat.ts';

/** Why an evaluation cannot be judged: now (`error`), or ever (`submissionRefused`). What a program does in a case is a result instead. */
export type Stop = Pick<Reason, 'code' | 'faultOf' | 'message'>;

export const targetUnavailable = (message: string): Stop => ({
  code: 'target_unavailable',
  faultOf: 'target',
  message: `The target gave no reply: ${message}`,
});

const refusedCode = 'submission_refused';

/** The submission could not be opened and never can: an archive that does not unpack, an image that is not accepted. */
export const submissionRefused = (message: string): Stop => ({ code: refusedCode, faultOf: 'participant', message });

/** `invalid` for a submission that was refused, `error` for everything else. */
export function stoppedVerdict(stop: Stop): Verdict & { reason: Reason } {
  const invalid = stop.code === refusedCode;
  const advice = invalid
    ? 'Mend what is named and submit again.'
    : 'Nothing is charged for this attempt. It is tried again by itself; if it stays, an operator has to look.';
  const reason = { ...stop, message: stop.message.slice(0, 2000), advice };
  return { outcome: invalid ? 'invalid' : 'error', reason, score: null, interval: null, metrics: {}, criteria: [] };
}

/**
 * What keeps a case from being a result: a call whose transport failed (a program may have caught the error and
 * answered something, which says nothing about it), a sandbox that broke, a grader that broke. Null when it is one. Calls
 * to judges are not looked at: where another judge answered they harmed nothing, and else the grade is an error.
 */
export function stopOf(result: CaseResult, transcript: readonly Exchange[]): Stop | null {
  const broken = transcript.find((exchange) => exchange.fault?.kind === 'transport' && exchange.askedBy !== 'judge');
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
