import type { Stage } from '../contracts/queue.ts';
import type { Status } from '../contracts/status.ts';

/*
 * The state machine of an evaluation as data.
 *
 *   received ─► screening ─► queued ─► running ─► grading ─► verifying ─► done
 *
 * `screening`, `running` and `grading` exist only under a lease; `verifying` waits without one until the verify stage
 * claims it. A failed attempt goes back to where its stage starts (`home`), or is parked there for an operator. Every
 * status may end as done. The table `evaluation_transition` holds the same pairs, so that the database refuses what a
 * forgotten WHERE would allow; a test compares the two.
 */

export const transitions: Readonly<Record<Status, readonly Status[]>> = {
  received: ['screening', 'done'],
  screening: ['queued', 'received', 'parked', 'done'],
  queued: ['running', 'done'],
  running: ['grading', 'verifying', 'queued', 'parked', 'done'],
  grading: ['running', 'verifying', 'queued', 'parked', 'done'],
  verifying: ['done', 'parked'],
  parked: ['received', 'queued', 'verifying', 'done'],
  done: [],
};

export const mayGo = (from: Status, to: Status): boolean => transitions[from].includes(to);

interface StageStates {
  /** Where work of this stage waits, and where a failed attempt returns to. */
  home: Extract<Status, 'received' | 'queued' | 'verifying'>;
  /** Statuses in which this stage's worker holds the lease. */
  leased: readonly Status[];
}

export const stageStates: Readonly<Record<Stage, StageStates>> = {
  screen: { home: 'received', leased: ['screening'] },
  evaluate: { home: 'queued', leased: ['running', 'grading'] },
  verify: { home: 'verifying', leased: ['verifying'] },
};

/** Whose work an evaluation in this status is; null when nobody works on it. */
export function stageOf(status: Status): Stage | null {
  switch (status) {
    case 'received':
    case 'screening':
      return 'screen';
    case 'queued':
    case 'running':
    case 'grading':
      return 'evaluate';
    case 'verifying':
      return 'verify';
    case 'parked':
    case 'done':
      return null;
  }
}
