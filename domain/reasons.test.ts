import { describe, expect, it } from 'vitest';
import { Reason } from '../contracts/status.ts';
import { cancelledByParticipant, noWorker, shownReason } from './reasons.ts';

const fault = {
  code: 'program_error',
  faultOf: 'participant',
  message: 'the program said: h7 expects "secret"',
  advice: 'Fix it.',
} as const;

describe('shownReason', () => {
  it('keeps what only public cases can have caused, and what screening says', () => {
    expect(shownReason(fault, ['public'], true)).toBe(fault);
    expect(shownReason(fault, ['public', 'hidden'], false)).toBe(fault);
  });

  it('withholds text and code of a fault where hidden or holdout cases ran, but not whose it is', () => {
    for (const splits of [['hidden'], ['public', 'hidden'], ['holdout']] as const) {
      const shown = shownReason(fault, splits, true);
      expect(shown).toMatchObject({ code: 'details_withheld', faultOf: 'participant' });
      expect(JSON.stringify(shown)).not.toMatch(/secret|program_error/);
    }
  });

  it('keeps the outcome in words: a plain fail is no secret fault', () => {
    const fail = {
      code: 'below_threshold',
      faultOf: 'participant',
      message: 'The lower bound does not reach 0.9.',
      advice: 'Improve it.',
    } as const;
    expect(shownReason(fail, ['public', 'hidden'], true)).toBe(fail);
  });

  it('keeps the platform’s own words', () => {
    expect(shownReason(cancelledByParticipant, ['hidden'], true)).toBe(cancelledByParticipant);
  });
});

it('keeps a wait within the bounds of a reason, however long a worker explains itself', () => {
  expect(Reason.safeParse(noWorker('run Python programs', 'x'.repeat(5_000), 'y'.repeat(5_000))).success).toBe(true);
});
