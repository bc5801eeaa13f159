import type { Case, Phase, Split } from '../contracts/rubric.ts';
import type { SimulatedWorld } from '../gateway/session.ts';
import { drawSecrets } from '../rubrics/draw-secrets.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import type { PlannedCase } from './plan.ts';

/** Public cases always finish before hidden ones start, so that nothing learnt from one can reach the other. */
const splitOrder: readonly Split[] = ['public', 'hidden', 'holdout'];

export const splitsOf = (phase: Phase): readonly Split[] => splitOrder.filter((split) => phase.splits.includes(split));

/** The cases of a phase in file order, split by split. */
export function casesOf(rubric: LoadedRubric, phase: Phase): { case: Case; split: Split }[] {
  return splitsOf(phase).flatMap((split) => rubric.cases[split].map((one) => ({ case: one, split })));
}

/** Every case × trial of one split, in the order in which they run. */
export function plannedCases(rubric: LoadedRubric, split: Split): PlannedCase[] {
  return rubric.cases[split].flatMap((one) => Array.from({ length: rubric.rubric.trials }, (_, trial) => ({ case: one, split, trial })));
}

/** The trusted side of an evaluation, for simulated models and graders. */
export function worldOf(rubric: LoadedRubric, seed: string): SimulatedWorld {
  return {
    cases: splitOrder.flatMap((split) => rubric.cases[split].map((one) => ({ split, case: one }))),
    secretsOf: (caseId, trial) => drawSecrets(rubric.rubric.secrets, seed, caseId, trial),
    seed,
    text: (path) => rubric.text(path),
  };
}
