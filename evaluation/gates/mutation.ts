import type { Verdict } from '../../contracts/evaluation.ts';
import type { GateResult } from '../../contracts/gates.ts';
import { aggregate } from '../../rubrics/aggregate.ts';
import { type Mutant, mutantsOf, mutate } from '../../rubrics/gates/mutants.ts';
import { appliesTo } from '../../rubrics/grade-case.ts';
import { casesOf } from '../world.ts';
import { type GateContext, kindOf, type Run } from './context.ts';
import { roundingError } from './expectations.ts';

const gate = 'mutation';

/**
 * Takes out one check after the other and looks whether any control would notice: its score or its outcome must change.
 * A check that no control needs either does nothing or nothing shows that it does. Everything is computed from the
 * grades that were kept; nothing runs or is graded again.
 */
export async function mutationGate(context: GateContext, runs: readonly Run[]): Promise<GateResult[]> {
  const { rubric } = context.rubric;
  const mutants = mutantsOf(rubric);
  const judged = runs.filter((run) => run.report.outcome !== 'error' && kindOf(run) !== 'report');
  const failed: GateResult[] = [];
  for (const [i, mutant] of mutants.entries()) {
    context.progress(gate, i, mutants.length);
    context.signal.throwIfAborted();
    if (await isNoticed(context, mutant, judged)) continue;
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
