import { judgeAwardCode } from '../contracts/judge-audits.ts';
import type { Split } from '../contracts/rubric.ts';
import type { Reason } from '../contracts/status.ts';

/** The reasons the platform itself gives, in one place so that their tone and codes agree. */

export const workerLost: Reason = {
  code: 'worker_lost',
  faultOf: 'platform',
  message: 'Several workers in a row stopped while they held this evaluation.',
  advice: 'Nothing to do: it costs no attempt. An operator has to look at the workers and let it go on.',
};

export const cancelledByParticipant: Reason = {
  code: 'cancelled_by_participant',
  faultOf: 'participant',
  message: 'The participant cancelled this evaluation.',
  advice: 'Submit again whenever you like.',
};

export const deadlinePassed: Reason = {
  code: 'no_worker_in_time',
  faultOf: 'platform',
  message: 'No worker that could run this submission appeared in time.',
  advice: 'The attempt is returned. Submit again when the challenge says that a worker can run it.',
};

export const parkedForOperator = (last: Reason): Reason => ({
  code: 'parked_for_operator',
  faultOf: 'platform',
  message: `Every automatic attempt failed (last: ${last.code}); an operator must look at it.`,
  advice: 'Nothing to do: it costs no attempt.',
});

export const waitsForRetry = (last: Reason): Reason => ({
  code: 'waits_for_retry',
  faultOf: last.faultOf,
  message: `The last attempt failed without the submission's fault (${last.code}); the next one starts by itself.`,
  advice: 'Nothing to do: it costs no attempt.',
});

export const waitsInQueue = (work: string): Reason => ({
  code: 'waits_in_queue',
  faultOf: 'platform',
  message: `Workers that can ${work} are busy with earlier evaluations.`,
  advice: 'Nothing to do: it starts by itself.',
});

/** Reasons are written without a full stop by whoever found them. */
const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

export const noWorker = (work: string, why: string, install: string): Reason => ({
  code: 'no_worker',
  faultOf: 'platform',
  message: sentence(`No worker that is alive can ${work}: ${why}`).slice(0, 2000),
  advice: `What an operator can do: ${sentence(install)} Otherwise this ends at the deadline and the attempt is returned.`.slice(0, 1000),
});

/**
 * What a participant may read of a reason. Where hidden or holdout cases ran, the text of a fault is a channel out of
 * them (a program can make it say anything it read), so only the platform's own words remain. `casesRan` is false
 * for what screening says about the submission itself.
 */
export function shownReason(reason: Reason, splits: readonly Split[], casesRan: boolean): Reason {
  if (!casesRan || splits.every((split) => split === 'public') || ownWords.has(reason.code)) return reason;
  return {
    code: 'details_withheld',
    faultOf: reason.faultOf,
    message: 'What went wrong is not shown, because hidden cases took part.',
    advice: 'Run the public phase, where every fault is shown in full.',
  };
}

const ownWords: ReadonlySet<string> = new Set([
  workerLost.code,
  cancelledByParticipant.code,
  deadlinePassed.code,
  'parked_for_operator',
  'waits_for_retry',
  'waits_in_queue',
  'no_worker',
  // Of a verdict, `rubrics/reasons.ts`: the outcome in words, with names of metrics, rules and limits of the rubric only.
  'below_threshold',
  'rule_broken',
  'needs_review',
  // `workers/judge-awards.ts`: who decides awards, in fixed words.
  judgeAwardCode,
  'limit_exceeded',
  // About the archive or the image itself, before any case runs in it.
  'submission_refused',
  // Names a target or a setting of the rubric and the configuration, nothing that was run.
  'gateway_unavailable',
]);
