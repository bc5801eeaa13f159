import type { GateResult } from '../../contracts/gates.ts';
import { everyGrader } from '../../contracts/graders.ts';
import type { JuryGraderSpec } from '../../contracts/judging.ts';
import { judgeMoney } from '../../rubrics/calibration/judge-money.ts';
import { vendorsOf } from '../../rubrics/graders/jury.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';

const gate = 'judges';

/**
 * What a judge must bring before its grades may hold money: held-out judges that no participant has ever faced, and
 * calibrations of both on labels of people (`judgeMoney` says what is missing; with bounties the rubric does not even load
 * without them), and for a jury more than one maker, because judges of one maker share their errors. Without bounties the
 * same is advice.
 */
export function judgesGate(loaded: LoadedRubric): GateResult[] {
  const { rubric } = loaded;
  const asked = rubric.criteria.flatMap((criterion) =>
    everyGrader(criterion.grader).flatMap(({ grader }) =>
      grader.kind === 'judge' || grader.kind === 'jury' ? [{ name: criterion.name, grader }] : [],
    ),
  );
  if (asked.length === 0) return [{ gate, ok: true, measured: 0, detail: 'code decides everything: no judge is asked', fix: '' }];
  const ok = rubric.bounties.length === 0;
  const juries = asked.flatMap(({ name, grader }) => (grader.kind === 'jury' ? oneVendor(loaded, name, grader) : []));
  const paths = new Set(loaded.files.map(({ path }) => path));
  const money = judgeMoney(rubric, (path) => (paths.has(path) ? loaded.bytes(path) : undefined));
  const missing = money.reasons.map((reason) => ({
    ...{ measured: 0, detail: `no money can hang on it: ${reason}` },
    fix: 'compare its verdicts with labels of people (docs/how-to/calibrate.md), name the reports under "calibrations" and judges of other models in "heldOut"',
  }));
  const found = [...juries, ...missing].map((one) => ({ gate, ok, ...one }) as const);
  if (found.length > 0) return found;
  const sentinels = asked.reduce((sum, { grader }) => sum + grader.sentinels.pass.length + grader.sentinels.fail.length, 0);
  const detail = `${asked.length} judged criteria with ${sentinels} sentinels, held-out judges and calibrations`;
  return [{ gate, ok: true, measured: asked.length, detail, fix: '' }];
}

function oneVendor(
  { rubric }: LoadedRubric,
  control: string,
  { judges }: JuryGraderSpec,
): { control: string; measured: number; detail: string; fix: string }[] {
  const vendors = vendorsOf(judges, new Map(rubric.judges.map((judge) => [judge.name, judge])));
  if (vendors.length > 1) return [];
  return [
    {
      ...{ control, measured: vendors.length },
      detail: `the jury's ${judges.length} judges are all of ${vendors.join(', ')}: they share their errors`,
      fix: 'put judges of at least two vendors on the jury, and name each one\'s "vendor"',
    },
  ];
}
