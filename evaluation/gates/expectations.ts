import type { GateName, GateResult } from '../../contracts/gates.ts';
import type { Control, Rubric } from '../../contracts/rubric.ts';
import { cameTo, kindOf, measuredOf, type Run } from './context.ts';
import type { ControlRun } from './run-controls.ts';

/** A billionth forgives the order of floating-point sums, nothing else. */
export const roundingError = 1e-9;

/** An oracle reaches the maximum and passes: one that cannot pass means that nobody can (too few cases for the interval, or a threshold out of reach). */
export function oracleGate(rubric: Rubric, controls: readonly ControlRun[]): GateResult[] {
  const oracles = controls.filter(({ control }) => control.role === 'oracle');
  if (oracles.length > 0) return oracles.map((one) => held('oracle', one));
  if (rubric.submission.every((form) => form.kind === 'report'))
    return [{ gate: 'oracle', ok: true, measured: 'none', detail: 'a person decides every report: there is no maximum to reach', fix: '' }];
  return [
    {
      ...{ gate: 'oracle', ok: false, measured: 0 },
      detail: 'no control has the role "oracle": nothing shows that the maximum can be reached',
      fix: 'add a submission that is right in every case to controls/, with role: oracle',
    },
  ];
}

/** Nulls, cheats and honest submissions end where the rubric says. */
export function controlsGate(controls: readonly ControlRun[]): GateResult[] {
  const others = controls.filter(({ control }) => control.role !== 'oracle');
  if (others.length > 0) return others.map((one) => held('controls', one));
  return [
    {
      ...{ gate: 'controls', ok: true, measured: 0 },
      detail: 'no control but the oracle',
      fix: 'add submissions that cheat (role: cheat) and honest ones that are not perfect (role: honest), with what they must come to',
    },
  ];
}

function held(gate: GateName, one: ControlRun): GateResult {
  const { control } = one;
  const name = `${control.role}: ${control.title}`;
  if (!one.ok) {
    const ok = control.expect.outcome === 'invalid';
    const fix = ok ? '' : `mend ${control.path} until a participant could send it, or say expect: { outcome: invalid }`;
    return { gate, ok, control: name, measured: 'invalid', detail: one.problem, fix };
  }
  const missed = missedBy(control, one.run);
  return {
    ...{ gate, ok: missed.length === 0, control: name, measured: measuredOf(one.run.report) },
    detail: `${cameTo(one.run.report)}${missed.length === 0 ? '' : `; it must ${missed.map(({ must }) => must).join(' and ')}`}`,
    fix: missed[0]?.fix ?? '',
  };
}

interface Missed {
  must: string;
  fix: string;
}

function missedBy(control: Control, run: Run): Missed[] {
  const { expect, path, role } = control;
  const { outcome, score } = run.report;
  const missed: Missed[] = [];
  const isOracle = role === 'oracle';
  // A person decides a report: the best that can come of it here is that it gets to one.
  const isReport = kindOf(run) === 'report';
  const wanted = expect.outcome ?? (isReport ? 'needs_review' : isOracle ? 'pass' : undefined);
  const min = expect.min ?? (isOracle && !isReport ? 1 : undefined);
  if (wanted === undefined ? outcome === 'error' : outcome !== wanted)
    missed.push({ must: `end as ${wanted ?? 'anything but error'}`, fix: outcomeFix(control, outcome, score) });
  if (min !== undefined && (score === null || score < min - roundingError))
    missed.push({
      must: `score at least ${min}`,
      fix: isOracle
        ? `mend ${path} where it loses points (npx collective run shows the cases), or the grader that takes them; where the true answer cannot reach ${min}, say which maximum it can: expect: { min: … }`
        : `the graders take points from "${control.title}" that the rubric promises: mend them, or its expect.min`,
    });
  if (expect.max !== undefined && score !== null && score > expect.max + roundingError)
    missed.push({
      must: `score at most ${expect.max}`,
      fix: `"${control.title}" is paid more than it is worth: tighten the criterion that pays it`,
    });
  return missed;
}

function outcomeFix({ role, title, path }: Control, outcome: string, score: number | null): string {
  if (outcome === 'error') return 'mend what the reason names and check again: nothing was judged';
  if (role === 'oracle' && outcome === 'fail' && score !== null && score >= 1 - roundingError)
    return 'add cases until the lower bound of a perfect score reaches the threshold, or lower the threshold';
  if (role === 'oracle') return `mend ${path} or the criterion that stops it: while the oracle cannot pass, nobody can`;
  return `"${title}" ends otherwise than the rubric says: mend the criterion that should decide it, or its expect.outcome`;
}
