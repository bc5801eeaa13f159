import type { GateResult } from '../contracts/gates.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { type GateDeps, gateContext } from './gates/context.ts';
import { estimateGate } from './gates/estimate.ts';
import { controlsGate, oracleGate } from './gates/expectations.ts';
import { gradedGate } from './gates/graded.ts';
import { judgesGate } from './gates/judges.ts';
import { monotonicityGate } from './gates/monotonicity.ts';
import { mutationGate } from './gates/mutation.ts';
import { nullSuiteGate, runNullSuite } from './gates/null-suite.ts';
import { powerGate } from './gates/power.ts';
import { reachableGate } from './gates/reachable.ts';
import { repeatsGate } from './gates/repeats.ts';
import { judgedOnly, runControls } from './gates/run-controls.ts';
import { schemaGate } from './gates/schema.ts';
import { secretScanGate } from './gates/secret-scan.ts';

/**
 * Runs the gates of publication (DESIGN decision 12) on a rubric that loads. Published metrics and graders have failed
 * each of them: a constant list of names scores 15 % on LLM-PC, an off-topic answer 60 % on CLAS, an official grader
 * shipped with a cloud token inside. Every control and null submission is judged once, by the same evaluation that
 * participants get; most gates then only look at what came out.
 *
 * Rejects with the signal's reason when aborted.
 */
export async function checkGates(rubric: LoadedRubric, deps: GateDeps): Promise<GateResult[]> {
  deps.signal.throwIfAborted();
  const context = gateContext(rubric, deps);
  const results: GateResult[] = [];
  const tell = (found: readonly GateResult[]) => {
    for (const result of found) {
      results.push(result);
      deps.onGate(result);
    }
  };
  tell([schemaGate(rubric)]);
  tell(secretScanGate(rubric));
  const controls = await runControls(context);
  const suite = await runNullSuite(context);
  const runs = [...judgedOnly(controls), ...suite];
  tell(gradedGate(rubric.rubric, runs));
  tell(reachableGate(rubric.rubric, runs));
  tell(oracleGate(rubric.rubric, controls));
  tell(nullSuiteGate(rubric, suite, controls));
  tell(await repeatsGate(context, runs));
  tell(await monotonicityGate(context, runs));
  tell(controlsGate(controls));
  tell(await mutationGate(context, runs));
  tell(estimateGate(context, runs));
  tell(powerGate(rubric));
  tell(judgesGate(rubric));
  return results;
}
