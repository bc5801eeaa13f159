import { canonicalJson } from '../../contracts/canonical.ts';
import type { GateResult } from '../../contracts/gates.ts';
import type { Json } from '../../contracts/json.ts';
import type { Criterion, Phase, Rubric, SubmissionForm } from '../../contracts/rubric.ts';
import type { SubmissionKind } from '../../contracts/submission.ts';
import { aggregate } from '../../rubrics/aggregate.ts';
import { textsIn } from '../../rubrics/gates/public-knowledge.ts';
import { appliesTo } from '../../rubrics/grade-case.ts';
import { nullSuite } from '../../rubrics/null-suite.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';
import { casesOf } from '../world.ts';
import { cameTo, type GateContext, kindOf, measuredOf, type Run } from './context.ts';
import { judgedOnly, type ControlRun } from './run-controls.ts';

const gate = 'null-suite';

/**
 * Judges every submission that knows nothing, in every phase. Where a larger phase holds all splits of another one, the
 * cases were judged already: splits run apart from each other, so the smaller phase's verdict is made of their grades.
 * Not where a grader reads the whole submission: that is another one in a smaller phase.
 */
export async function runNullSuite(context: GateContext): Promise<Run[]> {
  const { rubric, seed } = context;
  const { phases } = rubric.rubric;
  const holds = (large: Phase, small: Phase) => small.splits.every((split) => large.splits.includes(split));
  // Of phases with the same splits the first one counts as the larger.
  const isLargest = (phase: Phase, at: number) =>
    !phases.some((other, i) => i !== at && holds(other, phase) && (!holds(phase, other) || i < at));
  const largest = rubric.rubric.criteria.some(readsWholeSubmission) ? phases : phases.filter(isLargest);
  const holderOf = (phase: Phase) => largest.find((one) => holds(one, phase));
  const planned = largest.flatMap((phase) => nullSuite(rubric, phase, seed).map((one) => ({ phase, ...one })));
  const runs: Run[] = [];
  for (const [i, { phase, name, document }] of planned.entries()) {
    context.progress(gate, i, planned.length);
    const run = await context.judge({ name: `${name} (${phase.name})`, role: 'null-suite', phase, document });
    const inside = phases.filter((one) => !largest.includes(one) && holderOf(one) === phase);
    runs.push(run, ...inside.map((one) => restricted(context, run, one, `${name} (${one.name})`)));
  }
  context.progress(gate, planned.length, planned.length);
  return runs;
}

/** Does a grader inside read the source `submission`? Sources stand in fields of many names, so every text of the grader is looked at. */
const readsWholeSubmission = ({ grader }: Criterion): boolean => textsIn(grader as Json).some((text) => /^submission(\/|$)/.test(text));

/** The same submission in a phase of some of its cases, from the grades that are there. */
function restricted(context: GateContext, run: Run, phase: Phase, name: string): Run {
  if (run.report.outcome === 'error') return { ...run, name, phase };
  const { rubric } = context;
  const cases = run.report.cases.filter((one) => phase.splits.includes(one.split));
  const verdict = aggregate({
    rubric: rubric.rubric,
    rubricCases: casesOf(rubric, phase),
    results: cases,
    kind: kindOf(run),
    seed: run.report.seed,
  });
  return { ...run, name, phase, report: { ...run.report, ...verdict, phase: phase.name, cases } };
}

/**
 * Nothing that knows nothing may pass or reach the threshold, of the pass rule or of a bounty: neither what the suite writes
 * nor what the rubric declares as null. A form for which the suite can write nothing needs a declared null.
 */
export function nullSuiteGate(rubric: LoadedRubric, suite: readonly Run[], controls: readonly ControlRun[]): GateResult[] {
  const declared = judgedOnly(controls).filter((run) => run.role === 'null');
  const runs = [...suite, ...declared];
  const judged = runs.filter((run) => run.report.outcome !== 'error');
  return [...judged.map((run) => below(rubric, run)), ...notJudged(runs), ...uncovered(rubric, suite, declared)];
}

/** One cause keeps a whole suite from being judged; it is said once. */
function notJudged(runs: readonly Run[]): GateResult[] {
  const byCause = new Map<string, Run[]>();
  for (const run of runs) {
    if (run.report.outcome !== 'error') continue;
    const cause = cameTo(run.report);
    byCause.set(cause, [...(byCause.get(cause) ?? []), run]);
  }
  return [...byCause].map(([cause, [first, ...more]]) => ({
    ...{ gate, ok: false, control: `${first?.name ?? ''}${more.length === 0 ? '' : ` and ${more.length} more`}`, measured: 'error' },
    detail: cause,
    fix: 'mend what the reason names and check again: nothing was judged',
  }));
}

function below({ rubric }: LoadedRubric, run: Run): GateResult {
  const { outcome, score } = run.report;
  const { threshold, asked } = lowest(rubric);
  const name = { gate, control: run.name, measured: measuredOf(run.report) } as const;
  const ok = outcome !== 'pass' && !reaches(rubric, run);
  return {
    ...{ ...name, ok },
    detail: `${outcome}, score ${score ?? 'none'}, must stay below ${threshold}${asked}${(rubric.pass.require ?? []).map(({ metric, atLeast }) => ` or "${metric}" below ${atLeast}`).join('')}`,
    fix: ok
      ? ''
      : `a submission that knows nothing is paid: ${paidBy(run)}; ask for more there (equality of the whole answer, a count of guesses, a gate)`,
  };
}

/** The least score that anything is given for: a bounty may ask for less than the pass rule. */
function lowest({ pass, bounties }: Rubric): { threshold: number; asked: string } {
  const cheapest = bounties.toSorted((a, b) => a.threshold - b.threshold)[0];
  return cheapest !== undefined && cheapest.threshold < pass.threshold
    ? { threshold: cheapest.threshold, asked: ` (bounty "${cheapest.name}")` }
    : { threshold: pass.threshold, asked: '' };
}

/**
 * Are the lowest threshold and everything required beside it reached by the values themselves? That an interval is wide is no
 * excuse: with more cases a null submission would pass. Where two things are asked for (safe and useful), a null may
 * have all of one of them.
 */
function reaches(rubric: Rubric, { report }: Run): boolean {
  const { pass } = rubric;
  if (report.score === null || report.score < lowest(rubric).threshold) return false;
  return (pass.require ?? []).every(({ metric, atLeast }) => (report.metrics[metric]?.value ?? Number.NEGATIVE_INFINITY) >= atLeast);
}

/** The criterion that gave most, so that its author knows where to look. */
function paidBy(run: Run): string {
  const best = run.report.criteria.toSorted((a, b) => (b.mean ?? -1) * b.weight - (a.mean ?? -1) * a.weight)[0];
  return best?.mean == null ? 'see its cases' : `criterion "${best.name}" gives it ${Number(best.mean.toFixed(4))} on average`;
}

function uncovered({ rubric }: LoadedRubric, suite: readonly Run[], declared: readonly Run[]): GateResult[] {
  return rubric.submission.flatMap((form): GateResult[] => {
    const kinds = [form.kind, ...standInsFor(form, rubric)];
    const written = suite.filter((run) => kinds.includes(kindOf(run)) && !run.name.includes('empty ('));
    if (written.length > 0 || declared.some((run) => kinds.includes(kindOf(run)))) return [];
    return [
      {
        ...{ gate, ok: false, control: form.kind, measured: 0 },
        detail: `no submission that knows nothing could be written for the form "${form.kind}": ${form.kind === 'image' ? 'an image cannot be made here' : 'its schema refuses all of them'}`,
        fix: `add one to controls/ by hand: right in form, empty in content, with role: "null"`,
      },
    ];
  });
}

/**
 * An image and a program that answer by one schema and are graded by the same criteria differ in nothing that a grader
 * sees: what the programs that know nothing come to, such images would.
 */
function standInsFor(form: SubmissionForm, { submission, criteria }: Rubric): SubmissionKind[] {
  if (form.kind !== 'image') return [];
  const graded = criteria.every((criterion) => appliesTo(criterion, 'image') === appliesTo(criterion, 'program'));
  const alike = submission.some((other) => other.kind === 'program' && canonicalJson(other.schema) === canonicalJson(form.schema));
  return graded && alike ? ['program'] : [];
}
