import type { Reason } from '../contracts/status.ts';

/** Why an attempt failed on our side: `what` could not be done, because of `error`. Retried, and free for the participant. */
export function ourFault(code: string, what: string, error: unknown): Reason {
  return {
    code,
    faultOf: 'platform',
    message: `${what}: ${(error instanceof Error ? error.message : String(error)).slice(0, 500)}`,
    advice: 'Nothing is charged for this attempt. It is tried again by itself; if it stays, an operator has to look.',
  };
}
