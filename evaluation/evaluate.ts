import type { CaseResult, Verdict } from '../contracts/evaluation.ts';
import { targetOfJudge } from '../contracts/judging.ts';
import { graderProfiles } from '../contracts/queue.ts';
import type { Split } from '../contracts/rubric.ts';
import type { GatewaySession, SessionOptions } from '../gateway/session.ts';
import { aggregate } from '../rubrics/aggregate.ts';
import { type CompiledCriterion, compileCriteria } from '../rubrics/grade-case.ts';
import { submissionTexts } from '../rubrics/submission-texts.ts';
import { mostProgramBytes, openCollector } from './collector.ts';
import { graderPrograms } from './grader-programs.ts';
import { openJudging } from './judging.ts';
import { codeLoader, type LoadCode } from './load-code.ts';
import type { EvaluationDeps, EvaluationOutput, EvaluationPlan } from './plan.ts';
import type { CaseSetting } from './run-case.ts';
import { runCases } from './run-cases.ts';
import { type Stop, stoppedVerdict, submissionRefused, targetUnavailable } from './stop.ts';
import { casesOf, plannedCases, splitsOf, worldOf } from './world.ts';

/**
 * Theory of operation. An evaluation is a pure function of rubric, submission, seed and what the targets reply; it
 * knows no database and no queue. Splits run one after another (public, hidden, holdout), each with a sandbox of its
 * own; inside a split cases run side by side, but a program's run one after another, because its sandbox is one
 * process tree. Each finished case is handed to the sink at once: what the sink has kept is the checkpoint from which a
 * killed evaluation goes on. The first platform or transport fault ends the run as `error` with nothing aggregated:
 * a partial score would turn induced faults into free probes of the hidden cases. A submission that cannot be opened by
 * its own fault ends it as `invalid`, which costs the attempt.
 *
 * Rejects with the signal's reason when aborted and with the sink's error when the sink throws. A fault that is only the
 * echo of an abort (a sandbox that could not be opened, a call that was given up) is never reported as one.
 */
export async function evaluate(plan: EvaluationPlan, deps: EvaluationDeps): Promise<EvaluationOutput> {
  deps.signal.throwIfAborted();
  const world = worldOf(plan.rubric, plan.seed);
  const opened = await deps.gateway.open({
    targets: plan.targets,
    budget: plan.rubric.rubric.budget,
    allotment: deps.allotment,
    judges: plan.rubric.rubric.judges.map(targetOfJudge),
    judging: judgingOf(plan, deps),
    world,
    signal: deps.signal,
    record: deps.sink.called,
  });
  deps.signal.throwIfAborted();
  if (!opened.ok) {
    const stop: Stop = { code: 'gateway_unavailable', faultOf: 'platform', message: `No model can be asked here: ${opened.message}` };
    return { verdict: stoppedVerdict(stop), refusal: null, results: [], usage: noUsage, judging: noUsage };
  }
  await using session = opened.session;
  const load = codeLoader({ ...plan, maxBytes: mostProgramBytes(plan), drivers: deps.sandboxes, session, signal: deps.signal });
  const shared = {
    kind: plan.submission.kind,
    submission: submissionTexts(plan.submission),
    criteria: compileCriteria(plan.rubric),
    session,
    world,
    load,
    purpose: plan.purpose,
    judging: openJudging(plan),
  };
  const results = new Map<string, CaseResult>(deps.checkpoint.map((result) => [keyOf(result.caseId, result.trial), result]));
  for (const split of splitsOf(plan.phase)) {
    const stop = await runSplit(plan, deps, shared, split, results);
    deps.signal.throwIfAborted();
    if (stop === null) continue;
    const verdict = stoppedVerdict(stop);
    const refusal = verdict.outcome === 'invalid' ? verdict.reason : null;
    return { verdict, refusal, results: inFileOrder(plan, [...results.values()]), ...usedBy(session) };
  }
  await deps.sink.grading();
  deps.signal.throwIfAborted();
  const ordered = inFileOrder(plan, [...results.values()]);
  return { verdict: verdictOf(plan, ordered), refusal: null, results: ordered, ...usedBy(session) };
}

/** A host that runs strangers' code can write to the cache: what verification decides by must come from the judge itself. */
const judgingOf = ({ rubric, purpose }: EvaluationPlan, { judging }: EvaluationDeps): SessionOptions['judging'] => ({
  budget: rubric.rubric.judging,
  allotment: judging.allotment,
  replies: purpose === 'verification' ? null : judging.replies,
});

const usedBy = (session: GatewaySession): Pick<EvaluationOutput, 'usage' | 'judging'> => ({
  usage: session.usage(),
  judging: session.judgeUsage(),
});

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

type Shared = Pick<CaseSetting, 'kind' | 'submission' | 'world' | 'purpose' | 'judging'> & {
  criteria: readonly CompiledCriterion[];
  session: GatewaySession;
  load: LoadCode;
};

/** Null when the split finished, else what stopped it. */
async function runSplit(
  plan: EvaluationPlan,
  deps: EvaluationDeps,
  shared: Shared,
  split: Split,
  results: Map<string, CaseResult>,
): Promise<Stop | null> {
  const planned = plannedCases(plan.rubric, split);
  const open = planned.filter((one) => !results.has(keyOf(one.case.id, one.trial)));
  await deps.sink.splitStarted(split, planned.length);
  if (open.length > 0) {
    const opened = await openCollector(plan, split, shared.session, deps, shared.load);
    if (!opened.ok && opened.fault === 'participant') return submissionRefused(opened.message);
    if (!opened.ok) return { code: 'sandbox_unavailable', faultOf: 'platform', message: opened.message };
    await using run = opened.run;
    if (run.environment !== null) await deps.sink.sandboxOpened(split, run.environment);
    await using programs = graderPrograms({ ...plan, split, drivers: deps.sandboxes, onFailure: deps.graderFailed, signal: deps.signal });
    const setting: CaseSetting = { ...shared, programs, collect: run.collect, faultOfAnswer: run.faultOfAnswer, signal: deps.signal };
    const stop = await runCases(open, lanesOf(plan, run.concurrency), setting, async ({ result, texts }) => {
      results.set(keyOf(result.caseId, result.trial), result);
      await deps.sink.caseFinished(result, texts);
    });
    if (stop !== null) return stop;
  }
  const unseen = shared.session.transportFault();
  if (unseen !== null) return targetUnavailable(unseen);
  await deps.sink.splitFinished(split, planned.length);
  return null;
}

/** Grader programs run one after another: cases beyond a few would only wait for one that takes long, after the evaluation has to stop. */
const lanesOf = ({ rubric, submission }: EvaluationPlan, concurrency: number): number =>
  graderProfiles(rubric.rubric.criteria, submission.kind).length > 0 ? Math.min(concurrency, 8) : concurrency;

const noUsage = { calls: 0, inputTokens: 0, outputTokens: 0, costMicros: '0' };

const keyOf = (caseId: string, trial: number): string => `${trial}:${caseId}`;
