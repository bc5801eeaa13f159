import type { Verdict } from '../../contracts/evaluation.ts';
import { judgeAwardCode } from '../../contracts/judge-audits.ts';
import type { Rubric } from '../../contracts/rubric.ts';
import type { Reason } from '../../contracts/status.ts';
import type { LoadedRubric } from '../rubric.ts';
import { type AwardDecision, awardRule, firstAwards, stopLoss } from './award-rule.ts';
import { judgeMoney } from './judge-money.ts';

/** What people have decided about a rubric's judged awards so far; asked for only where it matters. */
export type AwardStanding = () => Promise<Parameters<typeof awardRule>[0]>;

/**
 * The verdict as it may touch money: a `pass` of a rubric with bounties that depends on a judge waits for a person unless
 * the award rule lets the judge decide. Score and intervals stay; only the outcome is another one. Every way to a stored
 * verdict goes through here: verification, and grading again.
 */
export async function guardJudgedAward(rubric: LoadedRubric, verdict: Verdict, standing: AwardStanding): Promise<Verdict> {
  if (verdict.outcome !== 'pass' || rubric.rubric.bounties.length === 0) return verdict;
  const paths = new Set(rubric.files.map(({ path }) => path));
  const money = judgeMoney(rubric.rubric, (path) => (paths.has(path) ? rubric.bytes(path) : undefined));
  if (!money.judged) return verdict;
  // Such a rubric is refused when it is loaded; one that was stored under other rules pays nobody by itself.
  if (!money.holdsMoney) return waiting(verdict, 'The judge of this challenge is not calibrated for awards.');
  const decision = awardRule(await standing());
  return decision.to === 'judge' ? verdict : waiting(verdict, whyHuman(decision));
}

/**
 * Does a pass that was found earlier still need no person? For what applies a stored verdict: between its preview and now
 * people may have overruled the judge. Reads the rubric's document only; that its judge is calibrated was seen at the preview.
 */
export async function passStands(rubric: Rubric, standing: AwardStanding): Promise<boolean> {
  if (rubric.bounties.length === 0 || !judgeMoney(rubric, () => undefined).judged) return true;
  return awardRule(await standing()).to === 'judge';
}

function whyHuman(decision: Extract<AwardDecision, { to: 'human' }>): string {
  const found = 'A judge found that this passes; people decide';
  if (decision.why === 'first-awards')
    return `${found} the first ${firstAwards} such awards of a challenge, and have decided ${decision.audited}.`;
  if (decision.why === 'overruled') return `${found} at present, because they disagreed with the judge about too many awards.`;
  if (decision.why === 'few-audits')
    return `${found} until they have looked at ${stopLoss.window} verdicts of the judge on each target; on one it is ${decision.audited}.`;
  return `${found} at present, because lately they disagreed with the judge too often.`;
}

function waiting(verdict: Verdict, message: string): Verdict {
  const reason: Reason = {
    code: judgeAwardCode,
    faultOf: 'platform',
    message,
    advice: 'A reviewer will look at it; there is nothing to do until then.',
  };
  return { ...verdict, outcome: 'needs_review', reason };
}
