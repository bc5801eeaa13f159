import { cohenKappa } from '../statistics/cohen-kappa.ts';

/** A person's look at a judged award, beside what the judge said. */
export interface JudgeAudit {
  judgePassed: boolean;
  humanPassed: boolean;
}

/** Judged awards of a rubric that people decide before any is given without them. */
export const firstAwards = 50;
/** Stop-loss: below this agreement on the last `window` audited items of one target, people decide again. */
export const stopLoss = { window: 50, kappa: 0.6 } as const;

export type AwardDecision =
  | { to: 'judge' }
  | { to: 'human'; why: 'first-awards'; audited: number }
  | { to: 'human'; why: 'stop-loss'; target: string; kappa: number | null };

/**
 * Who decides the next judged award of a rubric. The first 50 go to people. After that a cell (rubric, target) whose last
 * 50 audited items agree below κ 0.6 sends every award that touches it to people, until κ is back. Where κ is not defined
 * (judge and people say one and the same thing throughout) there is no disagreement to stop for; where they never agree
 * on anything else it is defined and low. `awardsAudited` counts passes of the judge that a person decided.
 */
export function awardRule(input: { awardsAudited: number; cells: ReadonlyMap<string, readonly JudgeAudit[]> }): AwardDecision {
  if (input.awardsAudited < firstAwards) return { to: 'human', why: 'first-awards', audited: input.awardsAudited };
  for (const [target, audits] of input.cells) {
    const kappa = lastKappa(audits);
    if (kappa !== null && kappa < stopLoss.kappa) return { to: 'human', why: 'stop-loss', target, kappa };
  }
  return { to: 'judge' };
}

/** Cohen's κ of judge and people on the last 50 audits, in their order; null with fewer, or where it is not defined. */
export function lastKappa(audits: readonly JudgeAudit[]): number | null {
  if (audits.length < stopLoss.window) return null;
  const last = audits.slice(-stopLoss.window);
  const cell = (judge: boolean, human: boolean) => last.filter((one) => one.judgePassed === judge && one.humanPassed === human).length;
  const kappa = cohenKappa(
    [
      [cell(true, true), cell(true, false)],
      [cell(false, true), cell(false, false)],
    ],
    0.95,
  );
  return kappa?.value ?? null;
}
