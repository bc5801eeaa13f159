import type { CaseResult } from '../../contracts/evaluation.ts';
import type { GateResult } from '../../contracts/gates.ts';
import { deriveSeed } from '../../rubrics/random.ts';
import { wilson } from '../../rubrics/statistics/wilson.ts';
import { cameTo, type GateContext, kindOf, type Run } from './context.ts';
import { drawsFromSeed } from './draws.ts';

const gate = 'repeats';
/** Runs of the oracle with a seed of their own, besides the first. */
const otherSeeds = 2;
/** A right answer that is judged otherwise in more than one of twenty repeats costs honest participants money. */
const mostFlakes = 0.05;

/**
 * Each oracle again: with the same seed every grade must be the same to the last bit, and where anything is drawn from
 * the seed, other seeds must come to the same verdicts. The flake rate is the share of case verdicts (how the case
 * ended, and its score) that differ from the first run's.
 */
export async function repeatsGate(context: GateContext, runs: readonly Run[]): Promise<GateResult[]> {
  // An honest report stands for the oracle that a rubric of reports does not have.
  const isRepeated = (run: Run) => run.role === 'oracle' || (run.role === 'honest' && kindOf(run) === 'report');
  const oracles = runs.filter((run) => isRepeated(run) && run.report.outcome !== 'error');
  const results: GateResult[] = [];
  for (const [i, oracle] of oracles.entries()) {
    context.progress(gate, i, oracles.length);
    results.push(await sameSeed(context, oracle));
    if (drawsFromSeed(context.rubric.rubric, kindOf(oracle))) results.push(await seedsAgree(context, oracle));
  }
  context.progress(gate, oracles.length, oracles.length);
  if (results.length > 0) return results;
  return [{ gate, ok: false, detail: 'no oracle was judged, so nothing can be repeated', fix: 'see the gate "oracle"' }];
}

async function sameSeed(context: GateContext, oracle: Run): Promise<GateResult> {
  const again = await context.judge(oracle);
  const same = again.fingerprint === oracle.fingerprint;
  const differing = differingCases(oracle, again);
  return {
    ...{ gate, ok: same, control: oracle.name, measured: differing.length },
    detail: same
      ? 'two runs with one seed gave equal grades'
      : `two runs with one seed gave different grades${differing.length === 0 ? '' : `, first in case "${differing[0]}"`}`,
    fix: same
      ? ''
      : 'take out what is not drawn from the seed: a clock, an unseeded draw in a grader program, a target at a temperature above 0',
  };
}

async function seedsAgree(context: GateContext, oracle: Run): Promise<GateResult> {
  const repeats: Run[] = [];
  for (let i = 1; i <= otherSeeds; i++) repeats.push(await context.judge(oracle, deriveSeed(context.seed, 'repeat', String(i))));
  const flakes = repeats.reduce((sum, run) => sum + differingCases(oracle, run).length, 0);
  const verdicts = oracle.report.cases.length * otherSeeds;
  const rate = verdicts === 0 ? 1 : flakes / verdicts;
  const { lower, upper } = wilson(flakes, verdicts, 0.95);
  const odd = repeats.find((run) => run.report.outcome !== oracle.report.outcome);
  const ok = odd === undefined && rate <= mostFlakes;
  return {
    ...{ gate, ok, control: oracle.name, measured: Number(rate.toFixed(6)) },
    detail: `flake rate ${flakes} of ${verdicts} case verdicts over ${otherSeeds} other seeds (95 % interval ${lower.toFixed(4)} to ${upper.toFixed(4)})${odd === undefined ? '' : `; with another seed the oracle came to ${cameTo(odd.report)}`}`,
    fix: ok
      ? ''
      : `a right submission must not depend on luck: raise "trials", ask targets at temperature 0, or loosen the grader that flakes; at most ${mostFlakes} may differ`,
  };
}

/** Cases (with their trial) whose end or score differs. */
function differingCases(a: Run, b: Run): string[] {
  const key = (one: CaseResult) => `${one.caseId}/${one.trial}`;
  const others = new Map(b.report.cases.map((one) => [key(one), one]));
  return a.report.cases.flatMap((one) => {
    const other = others.get(key(one));
    return other !== undefined && other.end === one.end && other.score === one.score ? [] : [one.caseId];
  });
}
