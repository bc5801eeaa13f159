import type { GateResult } from '../../contracts/gates.ts';
import { type VerificationPower, verificationCases, verificationPower, wantedPower } from '../../rubrics/gates/power.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';
import { drawsFromSeed } from './draws.ts';

const gate = 'power';

/**
 * Can verification recognise what each bounty is for? A rule that turns down most submissions a little above its
 * threshold promises money it will not release. Without a bounty the number is told, and nothing hangs on it.
 */
export function powerGate({ rubric, cases }: LoadedRubric): GateResult[] {
  const kinds = rubric.submission.map((form) => form.kind).filter((kind) => kind !== 'report');
  if (kinds.length === 0)
    return [{ gate, ok: true, measured: 'none', detail: 'a person decides every report: no rule verifies one', fix: '' }];
  const isDrawn = kinds.some((kind) => drawsFromSeed(rubric, kind));
  const decided = verificationCases(rubric, cases);
  const power = (threshold: number) => verificationPower(rubric, decided, isDrawn, threshold);
  if (rubric.bounties.length === 0) return [{ gate, ...told(rubric.pass.threshold, power(rubric.pass.threshold), false) }];
  return rubric.bounties.map(({ name, threshold }) => ({ gate, control: name, ...told(threshold, power(threshold), true) }));
}

function told(threshold: number, found: VerificationPower | null, binds: boolean): Omit<GateResult, 'gate' | 'control'> {
  if (found === null)
    return {
      ...{ ok: !binds, measured: 'unknown' },
      detail: `the threshold ${threshold} is no share of cases that a bound could reach, so no power can be computed`,
      fix: binds ? 'put the bounty on a score that is a mean over cases, with a threshold strictly between its ends' : '',
    };
  const { power, score, margin, observations, replicas, needed } = found;
  const weak = power < wantedPower;
  const enough = needed === null ? 'no reasonable number is enough' : `it takes ${needed}`;
  return {
    ...{ ok: !weak || !binds, measured: Number(power.toFixed(4)) },
    detail: `a true score of ${Number(score.toFixed(4))} (threshold ${threshold} + margin ${Number(margin.toFixed(4))}) is verified with probability ${power.toFixed(4)} on ${observations} independent cases in ${replicas} replicas; ${wantedPower} is wanted${binds || !weak ? '' : ', which binds only rubrics with bounties'}`,
    fix: weak
      ? `add independent cases to the holdout or the scored phase (${enough}), ask for fewer replicas, or declare a larger verification.margin`
      : '',
  };
}
