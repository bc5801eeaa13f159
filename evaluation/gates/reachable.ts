import type { GateResult } from '../../contracts/gates.ts';
import type { Criterion, Rubric } from '../../contracts/rubric.ts';
import { countsInScore, scoreInputs, type ScoreInputs } from '../../rubrics/gates/score-inputs.ts';
import { appliesTo } from '../../rubrics/grade-case.ts';
import { kindOf, type Run } from './context.ts';

const gate = 'reachable';

/**
 * Weights and gates that something can reach: a weight that no metric below the score reads is a promise that is not
 * kept; a gate that an oracle cannot open is a wall; a gate that no control closes is decoration, or does not work.
 */
export function reachableGate(rubric: Rubric, runs: readonly Run[]): GateResult[] {
  const inputs = scoreInputs(rubric);
  const failed = rubric.criteria.flatMap((criterion) => [
    ...weightProblems(criterion, inputs),
    ...unreadGate(criterion, inputs),
    ...(criterion.gate === undefined ? [] : gateProblems(criterion, runs)),
  ]);
  if (failed.length > 0) return failed;
  const gates = rubric.criteria.filter((criterion) => criterion.gate !== undefined).length;
  return [{ gate, ok: true, measured: gates, detail: `every weight reaches the score; every gate (${gates}) opens and closes`, fix: '' }];
}

function weightProblems(criterion: Criterion, inputs: ScoreInputs): GateResult[] {
  if (criterion.weight === 0 || countsInScore(criterion, inputs)) return [];
  return [
    {
      ...{ gate, ok: false, control: criterion.name, measured: criterion.weight },
      detail: `the criterion has the weight ${criterion.weight}, but neither it nor the weighted case score is read by the score`,
      fix: `let the score read "${criterion.name}" (a metric of { criterion: ${criterion.name} } or of case-score), or give it weight 0: then it only reports`,
    },
  ];
}

/** A case gate closes the case score, and nothing else. */
function unreadGate(criterion: Criterion, inputs: ScoreInputs): GateResult[] {
  if (criterion.gate?.scope !== 'case' || inputs.readsCaseScore) return [];
  return [
    {
      ...{ gate, ok: false, control: criterion.name, measured: 0 },
      detail: 'the gate sets the weighted case score to 0, which the score does not read',
      fix: `let the score read case-score, or give the gate of "${criterion.name}" the scope "submission"`,
    },
  ];
}

function gateProblems(criterion: Criterion, runs: readonly Run[]): GateResult[] {
  const atLeast = criterion.gate?.atLeast ?? 1;
  const mine = runs.filter((run) => appliesTo(criterion, kindOf(run)));
  const scores = (of: readonly Run[]) =>
    of.flatMap((run) =>
      run.report.cases.flatMap((one) => one.grades.flatMap((grade) => (grade.criterion === criterion.name ? [grade.score] : []))),
    );
  const oracles = mine.filter((run) => run.role === 'oracle');
  const best = finite(scores(oracles)).reduce((high, score) => Math.max(high, score), Number.NEGATIVE_INFINITY);
  const worst = finite(scores(mine)).reduce((low, score) => Math.min(low, score), Number.POSITIVE_INFINITY);
  if (oracles.length > 0 && best < atLeast)
    return [
      {
        ...{ gate, ok: false, control: criterion.name, measured: Number.isFinite(best) ? best : 'no score' },
        detail: `the gate asks for ${atLeast} and stays closed on every case of every oracle`,
        fix: `lower "atLeast" of "${criterion.name}", or mend its grader: nobody can pass this gate`,
      },
    ];
  if (worst >= atLeast)
    return [
      {
        ...{ gate, ok: false, control: criterion.name, measured: Number.isFinite(worst) ? worst : 'no score' },
        detail: `the gate asks for ${atLeast} and no control or null submission ever falls below it: nothing shows that it closes`,
        fix: `add a control (role cheat) that breaks the rule of "${criterion.name}", or take the gate out`,
      },
    ];
  return [];
}

const finite = (scores: readonly (number | null)[]): number[] => scores.filter((score) => score !== null);
