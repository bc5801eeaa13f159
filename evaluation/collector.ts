import type { Split, SubmissionForm } from '../contracts/rubric.ts';
import type { SandboxEnvironment } from '../contracts/sandbox.ts';
import type { GatewaySession } from '../gateway/session.ts';
import { compileAnswerSchema } from '../rubrics/check-submission.ts';
import { caseText } from '../rubrics/graders/sources.ts';
import { type Collected, type Collector, collectAnswers, collectDefence, collectPrompts, collectReport } from './collect.ts';
import type { LoadCode, NotOpened } from './load-code.ts';
import { profileFor } from './needs.ts';
import type { EvaluationDeps, EvaluationPlan } from './plan.ts';
import { openProgram } from './program.ts';

/** How the cases of one split are run for this kind of submission. */
export interface CollectorRun extends AsyncDisposable {
  collect: Collector;
  /** Where submitted code runs; null where none does. */
  environment: SandboxEnvironment | null;
  faultOfAnswer: (answer: Collected & { end: 'answered' }) => string | null;
  /** Cases side by side. */
  concurrency: number;
}

/** Data needs no waiting; 32 keeps a batch of grades in flight while the last is being stored. */
const dataConcurrency = 32;
/** Cases that wait for a target side by side. How many calls a provider really gets at once is for the gateway's pace to find out. */
const callConcurrency = 16;

const nothingToClose = { [Symbol.asyncDispose]: async () => {} };
const anyAnswer = () => null;

/** Chooses and opens the collector for the plan's submission; `load` gives its code where it has any. */
export async function openCollector(
  plan: EvaluationPlan,
  split: Split,
  session: GatewaySession,
  deps: EvaluationDeps,
  load: LoadCode,
): Promise<Opened> {
  const submission = plan.submission;
  const firstTarget = plan.targets[0]?.name ?? null;
  switch (submission.kind) {
    case 'answers':
      return ready({ collect: collectAnswers(submission.answers), concurrency: dataConcurrency });
    case 'prompts':
      if (firstTarget === null) return { ok: false, message: 'the rubric names no target to send prompts to' };
      return ready({ collect: collectPrompts(submission.prompts, firstTarget, formOf(plan, 'prompts')), concurrency: callConcurrency });
    case 'defence': {
      const form = formOf(plan, 'defence');
      if (firstTarget === null || form === undefined) return { ok: false, message: 'the rubric names no target to put the defence before' };
      const collect = collectDefence(submission.systemPrompt, (planned) => caseText(form.message, planned.case), firstTarget);
      return ready({ collect, concurrency: callConcurrency });
    }
    case 'report':
      return ready({ collect: collectReport(submission), concurrency: callConcurrency });
    case 'program':
    case 'image':
      return await openCode(plan, split, session, deps, load);
  }
}

type Opened = { ok: true; run: CollectorRun } | NotOpened;

/** Submitted code runs one case after another: its sandbox is one process tree. */
async function openCode(
  plan: EvaluationPlan,
  split: Split,
  session: GatewaySession,
  deps: EvaluationDeps,
  load: LoadCode,
): Promise<Opened> {
  const { submission, rubric } = plan;
  if (submission.kind !== 'program' && submission.kind !== 'image') throw new Error(`"${submission.kind}" holds no code`);
  const form = formOf(plan, submission.kind);
  const profile = profileFor(rubric.rubric, submission);
  const { sandbox, riskTier } = rubric.rubric;
  if (form === undefined || profile === null || sandbox === undefined)
    return { ok: false, message: `the rubric offers no sandbox profile for this ${submission.kind}` };
  const opened = await openProgram({
    ...{ id: `${plan.id}-${split}`, load, profile, sandbox, riskTier, session },
    drivers: deps.sandboxes,
    firstTarget: plan.targets[0]?.name ?? null,
    signal: deps.signal,
  });
  if (!opened.ok) return opened;
  const problemOf = compileAnswerSchema(form.schema);
  const faultOfAnswer = (answered: Collected & { end: 'answered' }) => {
    const problem = problemOf(answered.answer ?? null);
    return problem === null ? null : `invalid_output: the program's answer does not fit the rubric's schema: ${problem}`;
  };
  return {
    ok: true,
    run: { ...opened.run, [Symbol.asyncDispose]: () => opened.run[Symbol.asyncDispose](), faultOfAnswer, concurrency: 1 },
  };
}

const ready = (run: Pick<CollectorRun, 'collect' | 'concurrency'>): { ok: true; run: CollectorRun } => ({
  ok: true,
  run: { ...run, ...nothingToClose, environment: null, faultOfAnswer: anyAnswer },
});

/** How much of an archive may be unpacked; 0 where the rubric takes no programs. */
export const mostProgramBytes = (plan: EvaluationPlan): number => formOf(plan, 'program')?.maxBytes ?? 0;

function formOf<K extends SubmissionForm['kind']>(plan: EvaluationPlan, kind: K): Extract<SubmissionForm, { kind: K }> | undefined {
  return plan.rubric.rubric.submission.find((form): form is Extract<SubmissionForm, { kind: K }> => form.kind === kind);
}
