import pLimit from 'p-limit';
import type { CaseResult, Verdict } from '../contracts/evaluation.ts';
import type { Split } from '../contracts/rubric.ts';
import type { GatewaySession } from '../gateway/session.ts';
import { aggregate } from '../rubrics/aggregate.ts';
import { compileCriteria } from '../rubrics/grade-case.ts';
import { openCollector } from './collector.ts';
import type { EvaluationDeps, EvaluationOutput, EvaluationPlan, PlannedCase } from './plan.ts';
import { type CaseSetting, type FinishedCase, runCase } from './run-case.ts';
import { casesOf, plannedCases, splitsOf, worldOf } from './world.ts';

/**
 * Theory of operation. An evaluation is a pure function of rubric, submission, seed and what the targets reply; it
 * knows no database and no queue. Splits run one after another (public, hidden, holdout), each with a sandbox of its
 * own; inside a split cases run side by side, but a program's run one after another, because its sandbox is one
 * process tree. Each finished case is handed to the sink at once: what the sink has kept is the checkpoint from which a
 * killed evaluation goes on. The first platform or transport fault ends the run as `error` with nothing aggregated:
 * a partial score would turn induced faults into free probes of the hidden cases.
 */
export async function evaluate(plan: EvaluationPlan, deps: EvaluationDeps): Promise<EvaluationOutput> {
  const world = worldOf(plan.rubric, plan.seed);
  const opened = await deps.gateway.open({
    targets: plan.targets,
    budget: plan.rubric.rubric.budget,
    allotment: deps.allotment,
    world,
    signal: deps.signal,
    record: deps.sink.called,
  });
  if (!opened.ok) return { verdict: errorVerdict('gateway_unavailable', opened.message), results: [] };
  await using session = opened.session;
  const results = new Map<string, CaseResult>(deps.checkpoint.map((result) => [keyOf(result.caseId, result.trial), result]));
  for (const split of splitsOf(plan.phase)) {
    const fault = await runSplit(plan, deps, session, split, results);
    if (fault !== null) return { verdict: errorVerdict('evaluation_interrupted', fault), results: [...results.values()] };
  }
  await deps.sink.grading();
  const ordered = inFileOrder(plan, [...results.values()]);
  return { verdict: verdictOf(plan, ordered), results: ordered };
}

/** Results in the order of the rubric's files: cases finish in any order, and no report or hash may depend on it. */
export function inFileOrder(plan: Pick<EvaluationPlan, 'rubric' | 'phase'>, results: readonly CaseResult[]): CaseResult[] {
  const order = new Map(casesOf(plan.rubric, plan.phase).map((one, index) => [one.case.id, index]));
  return results.toSorted((a, b) => (order.get(a.caseId) ?? 0) - (order.get(b.caseId) ?? 0) || a.trial - b.trial);
}

/** Aggregates stored or fresh results; the verifying stage calls it again on what the database holds. */
export function verdictOf(plan: Pick<EvaluationPlan, 'rubric' | 'phase' | 'submission' | 'seed'>, results: readonly CaseResult[]): Verdict {
  return aggregate({
    rubric: plan.rubric.rubric,
    rubricCases: casesOf(plan.rubric, plan.phase),
    results: [...results],
    kind: plan.submission.kind,
    seed: plan.seed,
  });
}

/** Null when the split finished, else the fault that stopped it. */
async function runSplit(
  plan: EvaluationPlan,
  deps: EvaluationDeps,
  session: GatewaySession,
  split: Split,
  results: Map<string, CaseResult>,
): Promise<string | null> {
  const planned = plannedCases(plan.rubric, split);
  const open = planned.filter((one) => !results.has(keyOf(one.case.id, one.trial)));
  await deps.sink.splitStarted(split, planned.length);
  if (open.length > 0) {
    const collector = await openCollector(plan, split, session, deps);
    if (!collector.ok) return collector.message;
    await using run = collector.run;
    const setting: CaseSetting = {
      kind: plan.submission.kind,
      criteria: compileCriteria(plan.rubric),
      session,
      world: worldOf(plan.rubric, plan.seed),
      collect: run.collect,
      faultOfAnswer: run.faultOfAnswer,
      signal: deps.signal,
    };
    const fault = await runCases(open, run.concurrency, setting, async (finished) => {
      results.set(keyOf(finished.result.caseId, finished.result.trial), finished.result);
      await deps.sink.caseFinished(finished.result, { transcript: finished.transcript, log: finished.log });
    });
    if (fault !== null) return fault;
  }
  await deps.sink.splitFinished(split, planned.length);
  return null;
}

/** Runs cases until all are done or the first one ends in a platform or transport fault. */
async function runCases(
  planned: readonly PlannedCase[],
  concurrency: number,
  setting: CaseSetting,
  keep: (finished: FinishedCase) => Promise<void>,
): Promise<string | null> {
  let fault: string | null = null;
  const limit = pLimit(concurrency);
  await limit.map(planned, async (one) => {
    if (fault !== null) return;
    setting.signal.throwIfAborted();
    const finished = await runCase(one, setting);
    const problem = faultOf(finished.result) ?? setting.session.transportFault();
    if (problem === null) await keep(finished);
    else fault ??= problem;
  });
  return fault;
}

/** A grade that failed is a grader's fault, never a score: the case is not kept and the attempt ends. */
function faultOf(result: CaseResult): string | null {
  if (result.end === 'error') return result.message ?? 'a case could not be run';
  const failed = result.grades.find((grade) => grade.status === 'error');
  if (failed === undefined) return null;
  return `grader "${failed.grader}" of criterion "${failed.criterion}" failed: ${String(failed.evidence.message ?? 'no message')}`;
}

function errorVerdict(code: string, message: string): Verdict {
  return {
    outcome: 'error',
    reason: {
      code,
      faultOf: 'platform',
      message: message.slice(0, 2000),
      advice: 'Nothing is charged for this attempt. It is tried again by itself; if it stays, an operator has to look.',
    },
    score: null,
    interval: null,
    metrics: {},
    criteria: [],
  };
}

const keyOf = (caseId: string, trial: number): string => `${trial}:${caseId}`;
