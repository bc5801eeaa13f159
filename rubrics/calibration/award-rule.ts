import { cohenKappa } from '../statistics/cohen-kappa.ts';
import { exactLowerBound } from '../statistics/exact-binomial.ts';

/** A person's look at a judged award, beside what the judge said. */
export interface JudgeAudit {
  judgePassed: boolean;
  humanPassed: boolean;
}

/** Judged awards of a rubric that people decide before any is given without them. */
export const firstAwards = 50;
/** People must have agreed with the judge on its awards: the exact one-sided lower bound of the share that they confirmed. */
export const awardAgreement = { atLeast: 0.9, level: 0.95 } as const;
/** Stop-loss: below this agreement on the last `window` audited items of one target, people decide again. */
export const stopLoss = { window: 50, kappa: 0.6 } as const;

export type AwardDecision =
  | { to: 'judge' }
  | { to: 'human'; why: 'first-awards'; audited: number }
  | { to: 'human'; why: 'overruled'; audited: number; agreed: number }
  | { to: 'human'; why: 'few-audits'; target: string; audited: number }
  | { to: 'human'; why: 'stop-loss'; target: string; kappa: number | null };

/** What people said of a rubric's judged awards; see `awardRule`. */
export interface AuditedAwards {
  awardsAudited: number;
  awardsAgreed: number;
  /** One for each target of the rubric, the ones that nobody audited too. */
  cells: ReadonlyMap<string, readonly JudgeAudit[]>;
}

/**
 * Who decides the next judged award of a rubric. The first 50 go to people, and so do all others unless the people agreed:
 * the exact lower 95 % bound of the share of audited awards that nobody overruled is at least 0.9, at most one of 50. After
 * that a cell (rubric, target) with fewer than 50 audited items, or whose last 50 agree below κ 0.6, sends every award to
 * people: what nobody looked at is not known to be good. Where κ is not defined (judge and people say one and the same thing
 * throughout) there is no disagreement to stop for.
 */
export function awardRule({ awardsAudited, awardsAgreed, cells }: AuditedAwards): AwardDecision {
  if (awardsAudited < firstAwards) return { to: 'human', why: 'first-awards', audited: awardsAudited };
  if (exactLowerBound(awardsAgreed, awardsAudited, awardAgreement.level) < awardAgreement.atLeast)
    return { to: 'human', why: 'overruled', audited: awardsAudited, agreed: awardsAgreed };
  if (cells.size === 0) return { to: 'human', why: 'few-audits', target: '', audited: 0 };
  for (const [target, audits] of cells) {
    if (audits.length < stopLoss.window) return { to: 'human', why: 'few-audits', target, audited: audits.length };
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
