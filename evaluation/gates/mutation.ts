import type { Verdict } from '../../contracts/evaluation.ts';
import type { GateResult } from '../../contracts/gates.ts';
import type { Criterion } from '../../contracts/rubric.ts';
import { aggregate } from '../../rubrics/aggregate.ts';
import { copyingTexts } from '../../rubrics/gates/null-texts.ts';
import { type Mutant, mutantsOf, mutate } from '../../rubrics/gates/mutants.ts';
import { appliesTo } from '../../rubrics/grade-case.ts';
import { casesOf } from '../world.ts';
import { type GateContext, kindOf, type Run } from './context.ts';
import { roundingError } from './expectations.ts';

const gate = 'mutation';

/**
 * Takes out one check after the other and looks whether any control would notice: its score or its outcome must change.
 * A check that no control needs either does nothing or nothing shows that it does. So does a criterion that pays
 * everything it ever graded in full: taking it out changes scores, but tells no answer from another. Everything is computed
 * from the grades that were kept; nothing runs or is graded again.
 */
export async function mutationGate(context: GateContext, runs: readonly Run[]): Promise<GateResult[]> {
  const { rubric } = context.rubric;
  const mutants = mutantsOf(rubric);
  const judged = runs.filter((run) => run.report.outcome !== 'error' && kindOf(run) !== 'report');
  const failed: GateResult[] = [];
  for (const [i, mutant] of mutants.entries()) {
    context.progress(gate, i, mutants.length);
    context.signal.throwIfAborted();
    if (await isNoticed(context, mutant, judged)) {
      if (mutant.part === null) failed.push(...paysEverything(mutant.criterion, judged));
      continue;
    }
    const what =
      mutant.part === null ? `criterion "${mutant.criterion.name}"` : `part ${mutant.part.name} of criterion "${mutant.criterion.name}"`;
    failed.push({
      ...{ gate, ok: false, measured: 0 },
      control: mutant.part === null ? mutant.criterion.name : `${mutant.criterion.name}: ${mutant.part.name}`,
      detail: `without ${what} none of ${judged.length} controls and null submissions comes to another score or outcome`,
      fix: `add a control that this check alone decides (a cheat that only it catches, an honest answer that only it pays), or take the check out`,
    });
  }
  context.progress(gate, mutants.length, mutants.length);
  if (failed.length > 0) return failed;
  return [
    {
      gate,
      ok: true,
      measured: mutants.length,
      detail: `each of ${mutants.length} checks, taken out, changes the score or outcome of some control`,
      fix: '',
    },
  ];
}

/**
 * Points that nobody can miss: whoever answers anything has them. A control that violates the criterion shows what it is for;
 * a null submission that copies the rubric's own texts and happens to does not. A gate is looked at by the gate "reachable",
 * and what has no weight pays nothing.
 */
function paysEverything(criterion: Criterion, runs: readonly Run[]): GateResult[] {
  if (criterion.weight === 0 || criterion.gate !== undefined) return [];
  const paid = runs.filter((run) => !isCopy(run)).map((run) => ({ role: run.role, grades: gradesOf(run, criterion) }));
  const graded = paid.filter(({ grades }) => grades.length > 0);
  const nulls = graded.filter(({ role }) => role === 'null-suite' || role === 'null');
  const inFull = graded.every(({ grades }) => grades.every((score) => score !== null && score >= 1 - roundingError));
  if (nulls.length === 0 || !inFull) return [];
  return [
    {
      ...{ gate, ok: false, control: criterion.name, measured: 1 },
      detail: `criterion "${criterion.name}" gives 1 to every answer of all ${graded.length} controls and null submissions, ${nulls.length} of which know nothing: it separates nothing, and its weight is free points`,
      fix: `make "${criterion.name}" a gate (weight: 0, gate: { scope: case, atLeast: 1 }), or add a control (role cheat) that violates it`,
    },
  ];
}

const isCopy = ({ role, name }: Run): boolean =>
  role === 'null-suite' &&
  copyingTexts.has(
    name
      .replace(/ \(.*\)$/, '')
      .split(' ')
      .at(-1) ?? '',
  );

const gradesOf = (run: Run, criterion: Criterion): (number | null)[] =>
  run.report.cases.flatMap((one) => one.grades.flatMap((grade) => (grade.criterion === criterion.name ? [grade.score] : [])));

async function isNoticed(context: GateContext, mutant: Mutant, runs: readonly Run[]): Promise<boolean> {
  for (const run of runs) {
    if (!appliesTo(mutant.criterion, kindOf(run))) continue;
    const { rubric, results, differs } = await mutate(context.rubric.rubric, run.report.cases, kindOf(run), mutant);
    if (!differs) continue;
    const verdict = aggregate({
      rubric,
      rubricCases: casesOf(context.rubric, run.phase),
      results,
      kind: kindOf(run),
      seed: run.report.seed,
    });
    if (isOther(verdict, run.report)) return true;
  }
  return false;
}

const isOther = (a: Pick<Verdict, 'score' | 'outcome'>, b: Pick<Verdict, 'score' | 'outcome'>): boolean =>
  a.outcome !== b.outcome || (a.score === null) !== (b.score === null) || Math.abs((a.score ?? 0) - (b.score ?? 0)) > roundingError;
