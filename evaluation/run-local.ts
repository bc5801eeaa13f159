import type { ReplyCache } from '../contracts/chat.ts';
import type { EvaluationReport } from '../contracts/evaluation.ts';
import type { Phase, Split } from '../contracts/rubric.ts';
import type { SandboxDriver } from '../contracts/sandbox.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import type { TargetSpec } from '../contracts/target.ts';
import { wholeBudget } from '../gateway/allotment.ts';
import type { Gateway } from '../gateway/session.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { evaluate } from './evaluate.ts';
import type { GraderFailure } from './grader-programs.ts';
import type { EvaluationOutput, EvaluationSink } from './plan.ts';
import { submissionHash } from './result-hash.ts';

export interface LocalRun {
  rubric: LoadedRubric;
  phase: Phase;
  document: SubmissionDocument;
  seed: string;
  targets: readonly TargetSpec[];
  gateway: Gateway;
  sandboxes: readonly SandboxDriver[];
  signal: AbortSignal;
  /** Where judges' replies are kept from one run to the next; nowhere when absent. */
  replies?: ReplyCache | undefined;
  onProgress: (progress: { split: Split; done: number; of: number }) => void;
  /** On a laptop whoever runs the rubric has its files: told what a grader program said when it failed. */
  graderFailed?: ((failure: GraderFailure) => void) | undefined;
}

/** A whole evaluation on this machine, with no server, queue or database: the same `evaluate` that workers call. */
export async function runLocal(run: LocalRun): Promise<EvaluationReport> {
  const startedAt = performance.now();
  const output = await evaluate(
    {
      id: `local-${run.seed.slice(0, 16)}`,
      rubric: run.rubric,
      phase: run.phase,
      submission: run.document,
      seed: run.seed,
      targets: run.targets,
      purpose: 'grading',
    },
    {
      gateway: run.gateway,
      sandboxes: run.sandboxes,
      allotment: wholeBudget(run.rubric.rubric.budget),
      judging: { allotment: wholeBudget(run.rubric.rubric.judging), replies: run.replies ?? null },
      sink: progressSink(run.onProgress),
      signal: run.signal,
      graderFailed: run.graderFailed,
      checkpoint: [],
    },
  );
  return reportOf(run, output, performance.now() - startedAt);
}

function progressSink(onProgress: LocalRun['onProgress']): EvaluationSink {
  let current: { split: Split; done: number; of: number } = { split: 'public', done: 0, of: 0 };
  const tell = (next: typeof current) => {
    current = next;
    onProgress(next);
  };
  return {
    splitStarted: async (split, cases) => tell({ split, done: 0, of: cases }),
    splitFinished: async (split, cases) => tell({ split, done: cases, of: cases }),
    sandboxOpened: async () => {},
    caseFinished: async () => tell({ ...current, done: current.done + 1 }),
    called: () => {},
    grading: async () => {},
  };
}

function reportOf(run: LocalRun, output: EvaluationOutput, durationMs: number): EvaluationReport {
  const { verdict } = output;
  const { judges } = run.rubric.rubric;
  return {
    challenge: run.rubric.rubric.name,
    rubricHash: run.rubric.hash,
    submissionHash: submissionHash(run.document),
    seed: run.seed,
    phase: run.phase.name,
    simulated: [...run.targets, ...judges].some((model) => model.provider === 'simulated'),
    targets: run.targets.map(({ name, provider, model }) => ({ name, provider, model })),
    judges: judges.map(({ name, provider, model }) => ({ name, provider, model, simulated: provider === 'simulated' })),
    status: 'done',
    outcome: verdict.outcome,
    reason: verdict.reason,
    score: verdict.score,
    interval: verdict.interval,
    metrics: verdict.metrics,
    criteria: verdict.criteria,
    // An `error` shows no partial results: see evaluate.ts.
    cases: verdict.outcome === 'error' ? [] : [...output.results],
    usage: output.usage,
    judging: output.judging,
    durationMs: Math.round(durationMs),
  };
}
