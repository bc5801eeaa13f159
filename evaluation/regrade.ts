import { canonicalJson } from '../contracts/canonical.ts';
import type { Exchange } from '../contracts/chat.ts';
import type { CaseResult, Verdict } from '../contracts/evaluation.ts';
import { targetOfJudge } from '../contracts/judging.ts';
import { graderProfiles } from '../contracts/queue.ts';
import type { Phase } from '../contracts/rubric.ts';
import type { SandboxDriver } from '../contracts/sandbox.ts';
import type { Reason } from '../contracts/status.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import type { Usage } from '../contracts/target.ts';
import { wholeBudget } from '../gateway/allotment.ts';
import type { Gateway, GatewaySession } from '../gateway/session.ts';
import { type CompiledCriterion, compileCriteria, gradeCase } from '../rubrics/grade-case.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { submissionTexts } from '../rubrics/submission-texts.ts';
import { inFileOrder, verdictOf } from './evaluate.ts';
import { type GraderFailure, type GraderPrograms, graderPrograms } from './grader-programs.ts';
import { type Judging, openJudging } from './judging.ts';
import { askedAnew, keptCase, type ReadBlob } from './kept-case.ts';
import type { PlannedCase } from './plan.ts';
import { resultHash } from './result-hash.ts';
import { plannedCases, splitsOf, worldOf } from './world.ts';

/** A finished evaluation and the version that grades it anew; `differences` of the two versions must be none. */
export interface Regrading {
  /** Names the sandboxes of grader programs; the evaluation's id. */
  id: string;
  rubric: LoadedRubric;
  phase: Phase;
  submission: SubmissionDocument;
  submissionHash: string;
  seed: string;
  /** What is stored of its cases; their grades are not read. */
  results: readonly CaseResult[];
}

export interface RegradingDeps {
  gateway: Gateway;
  /** For grader programs alone. */
  sandboxes: readonly SandboxDriver[];
  read: ReadBlob;
  signal: AbortSignal;
  graderFailed?: ((failure: GraderFailure) => void) | undefined;
}

export interface RegradedCase {
  /** The stored result with the new grades. */
  result: CaseResult;
  /** Canonical JSON of what judges were asked this time; null when none was. */
  transcript: string | null;
}

export type Regraded =
  | { ok: true; verdict: Verdict; resultHash: string; cases: readonly RegradedCase[]; simulated: boolean; judging: Usage }
  | { ok: false; problem: Reason; judging: Usage };

/**
 * Theory of operation. Nothing of the submission runs and no target is asked: the session has none. What graders saw is
 * rebuilt from the submission, the seed and the blobs of the run; what they asked targets is answered from the kept
 * exchanges. Judges are asked anew, from the newer version's own budget and never from the cache, where hosts that run
 * submitted code may write. Cases that were not answered keep how they ended: no grader ever saw them.
 *
 * One case that cannot be graded stops the whole evaluation with the reason: a verdict over the rest would be one over
 * other cases. So does a verdict of `error`. Rejects with the signal's reason when aborted.
 */
export async function regrade(regrading: Regrading, deps: RegradingDeps): Promise<Regraded> {
  const { rubric, seed } = regrading;
  const { judges, judging, targets } = rubric.rubric;
  deps.signal.throwIfAborted();
  const world = worldOf(rubric, seed);
  const opened = await deps.gateway.open({
    targets: [],
    budget: noBudget,
    allotment: wholeBudget(noBudget),
    judges: judges.map(targetOfJudge),
    judging: { budget: judging, allotment: wholeBudget(judging), replies: null },
    world,
    signal: deps.signal,
    record: () => {},
  });
  deps.signal.throwIfAborted();
  if (!opened.ok) return { ok: false, problem: noJudges(opened.message), judging: nothingUsed };
  await using session = opened.session;
  const cases = await gradeAll(regrading, deps, session);
  if (!Array.isArray(cases)) return { ok: false, problem: cases, judging: session.judgeUsage() };
  const results = inFileOrder(
    regrading,
    cases.map((one) => one.result),
  );
  const verdict = verdictOf(regrading, results);
  if (verdict.outcome === 'error') return { ok: false, problem: verdict.reason ?? noVerdict, judging: session.judgeUsage() };
  const { submissionHash, phase } = regrading;
  return {
    ok: true,
    verdict,
    resultHash: resultHash({ rubricHash: rubric.hash, submissionHash, seed, phase: phase.name, verdict, results }),
    cases,
    simulated: [...targets, ...judges].some((model) => model.provider === 'simulated'),
    judging: session.judgeUsage(),
  };
}

interface Setting {
  regrading: Regrading;
  deps: RegradingDeps;
  session: GatewaySession;
  criteria: readonly CompiledCriterion[];
  texts: readonly string[] | undefined;
  judging: Judging;
  secretsOf: (caseId: string, trial: number) => Readonly<Record<string, string>>;
}

/** Every planned case and trial in the order of the files, or why there cannot be a verdict. */
async function gradeAll(regrading: Regrading, deps: RegradingDeps, session: GatewaySession): Promise<RegradedCase[] | Reason> {
  const { rubric, phase, submission, seed, results } = regrading;
  const setting: Setting = {
    ...{ regrading, deps, session },
    criteria: compileCriteria(rubric),
    texts: submissionTexts(submission),
    judging: openJudging({ rubric, seed }),
    secretsOf: worldOf(rubric, seed).secretsOf,
  };
  const stored = new Map(results.map((result) => [keyOf(result.caseId, result.trial), result]));
  const graded: RegradedCase[] = [];
  for (const split of splitsOf(phase)) {
    await using programs = graderPrograms({
      ...{ id: regrading.id, split, rubric, drivers: deps.sandboxes },
      ...{ onFailure: deps.graderFailed, signal: deps.signal },
    });
    const planned = plannedCases(rubric, split);
    const ends = await inLanes(planned, lanesOf(regrading), async (one) => {
      deps.signal.throwIfAborted();
      const result = stored.get(keyOf(one.case.id, one.trial));
      return result === undefined ? notStored(one) : await regradeCase(one, result, setting, programs);
    });
    deps.signal.throwIfAborted();
    const problem = ends.find((end) => 'code' in end);
    if (problem !== undefined) return problem;
    graded.push(...ends.filter((end) => 'result' in end));
  }
  return graded;
}

async function regradeCase(
  planned: PlannedCase,
  result: CaseResult,
  { regrading, deps, session, criteria, texts, judging, secretsOf }: Setting,
  programs: GraderPrograms,
): Promise<RegradedCase | Reason> {
  if (result.end !== 'answered') return { result, transcript: null };
  const { submission, rubric } = regrading;
  const read = await keptCase(planned, result, { submission, forms: rubric.rubric.submission, read: deps.read });
  if (!read.ok) return read.problem;
  const { answer, transcript, questions } = read.value;
  const judges = session.door({ caseId: planned.case.id, split: planned.split, trial: planned.trial }, 'judge');
  const { grades, score } = await gradeCase(
    criteria,
    {
      ...{ case: planned.case, split: planned.split, trial: planned.trial },
      ...{ answer, submission: texts, transcript },
      secrets: secretsOf(planned.case.id, planned.trial),
      ask: (request) => questions.ask(request),
      purpose: 'grading',
      judging: judging.accessOf(judges, deps.signal),
      runProgram: (spec, task) => programs.run(spec, task, { caseId: planned.case.id, signal: deps.signal }),
    },
    submission.kind,
  );
  const unasked = questions.unasked();
  if (unasked !== null) return askedAnew(result, unasked);
  const { judging: _before, ...kept } = result;
  return { result: { ...kept, grades, score }, transcript: textOf(judges.exchanges()) };
}

const textOf = (exchanges: readonly Exchange[]): string | null => (exchanges.length === 0 ? null : canonicalJson([...exchanges]));

/** As when it ran: judges are asked side by side, and programs one after another. */
const lanesOf = ({ rubric, submission }: Regrading): number =>
  graderProfiles(rubric.rubric.criteria, submission.kind).length > 0 ? 8 : 32;

/** `work` for every item, `lanes` at a time; the results are in the items' order. The first rejection ends it. */
async function inLanes<T, R>(items: readonly T[], lanes: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < items.length && !failed) {
      const at = next++;
      try {
        done[at] = await work(items[at]!);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(lanes, items.length) }, lane));
  const rejected = ends.find((end) => end.status === 'rejected');
  if (rejected !== undefined) throw rejected.reason;
  return done;
}

const keyOf = (caseId: string, trial: number): string => `${trial}:${caseId}`;
const noBudget = { calls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 };
const nothingUsed: Usage = { calls: 0, inputTokens: 0, outputTokens: 0, costMicros: '0' };

const noJudges = (why: string): Reason => ({
  code: 'judges_unavailable',
  faultOf: 'platform',
  message: `No judge can be asked here: ${why}`.slice(0, 2_000),
  advice: 'Give this process the keys of the providers that the rubric’s judges name, and make the preview again.',
});

const notStored = ({ case: { id }, split, trial }: PlannedCase): Reason => ({
  code: 'case_not_stored',
  faultOf: 'platform',
  message: `Of ${split} case ${id}, trial ${trial}, no result is stored`,
  advice: 'Let the submission be evaluated anew.',
});

const noVerdict: Reason = {
  code: 'no_verdict',
  faultOf: 'platform',
  message: 'The grades give no verdict and no reason why',
  advice: 'This is a fault of the platform: report it with the preview.',
};
