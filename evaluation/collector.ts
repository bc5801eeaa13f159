import type { Split, SubmissionForm } from '../contracts/rubric.ts';
import type { GatewaySession } from '../gateway/session.ts';
import { compileAnswerSchema } from '../rubrics/check-submission.ts';
import { caseText } from '../rubrics/graders/sources.ts';
import { type Collected, type Collector, collectAnswers, collectDefence, collectPrompts } from './collect.ts';
import { profileFor } from './needs.ts';
import type { EvaluationDeps, EvaluationPlan } from './plan.ts';
import { openProgram } from './program.ts';

/** How the cases of one split are run for this kind of submission. */
export interface CollectorRun extends AsyncDisposable {
  collect: Collector;
  faultOfAnswer: (answer: Collected & { end: 'answered' }) => string | null;
  /** Cases side by side. */
  concurrency: number;
}

/** Data needs no waiting; 32 keeps a batch of grades in flight while the last is being stored. */
const dataConcurrency = 32;
/** Calls to a target in flight at once; rate limits of providers come first in later work on judges. */
const callConcurrency = 8;

const nothingToClose = { [Symbol.asyncDispose]: async () => {} };
const anyAnswer = () => null;

/** Chooses and opens the collector for the plan's submission. */
export async function openCollector(
  plan: EvaluationPlan,
  split: Split,
  session: GatewaySession,
  deps: EvaluationDeps,
): Promise<{ ok: true; run: CollectorRun } | { ok: false; message: string }> {
  const submission = plan.submission;
  const firstTarget = plan.targets[0]?.name ?? null;
  switch (submission.kind) {
    case 'answers':
      return ready({ collect: collectAnswers(submission.answers), concurrency: dataConcurrency });
    case 'prompts':
      if (firstTarget === null) return { ok: false, message: 'the rubric names no target to send prompts to' };
      return ready({ collect: collectPrompts(submission.prompts, firstTarget), concurrency: callConcurrency });
    case 'defence': {
      const form = formOf(plan, 'defence');
      if (firstTarget === null || form === undefined) return { ok: false, message: 'the rubric names no target to put the defence before' };
      const collect = collectDefence(submission.systemPrompt, (planned) => caseText(form.message, planned.case), firstTarget);
      return ready({ collect, concurrency: callConcurrency });
    }
    case 'program': {
      const form = formOf(plan, 'program');
      const profile = profileFor(plan.rubric.rubric, submission);
      const limits = plan.rubric.rubric.sandbox?.limits;
      if (form === undefined || profile === null || limits === undefined) {
        return { ok: false, message: 'the rubric offers no sandbox profile for this program' };
      }
      const opened = await openProgram({
        id: `${plan.id}-${split}`,
        program: submission,
        profile,
        limits,
        drivers: deps.sandboxes,
        session,
        firstTarget,
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
  }
}

const ready = (run: Pick<CollectorRun, 'collect' | 'concurrency'>): { ok: true; run: CollectorRun } => ({
  ok: true,
  run: { ...run, ...nothingToClose, faultOfAnswer: anyAnswer },
});

function formOf<K extends SubmissionForm['kind']>(plan: EvaluationPlan, kind: K): Extract<SubmissionForm, { kind: K }> | undefined {
  return plan.rubric.rubric.submission.find((form): form is Extract<SubmissionForm, { kind: K }> => form.kind === kind);
}
