import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Exchange } from '../../contracts/chat.ts';
import type { EvaluationReport, Verdict } from '../../contracts/evaluation.ts';
import type { GateResult } from '../../contracts/gates.ts';
import type { Phase } from '../../contracts/rubric.ts';
import type { SandboxDriver } from '../../contracts/sandbox.ts';
import type { SubmissionDocument } from '../../contracts/submission.ts';
import { readSubmissionFile } from '../../contracts/submission-file.ts';
import { checkGates } from '../../evaluation/check-gates.ts';
import { evaluate } from '../../evaluation/evaluate.ts';
import type { EvaluationDeps } from '../../evaluation/plan.ts';
import { runLocal } from '../../evaluation/run-local.ts';
import { wholeBudget } from '../../gateway/allotment.ts';
import { createGateway } from '../../gateway/gateway.ts';
import { createProviders } from '../../gateway/providers/create.ts';
import { checkSubmission } from '../../rubrics/check-submission.ts';
import { loadRubric } from '../../rubrics/load.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';

/** A built-in challenge as participants meet it: its own graders, simulated models and judges, and nothing scripted. */
export interface BuiltIn {
  rubric: LoadedRubric;
  /** The report of one of its files, or of a document that the test makes. */
  run(submission: string | SubmissionDocument, phase: string, seed?: string): Promise<EvaluationReport>;
  gates(): Promise<GateResult[]>;
  /** One replica of a verification: held-out judges decide. Also names the judges that were asked. */
  verify(submission: string, phase: string): Promise<{ verdict: Verdict; judges: Set<string> }>;
}

const library = join(import.meta.dirname, '../../rubrics/library');
const firstSeed = '5eed'.repeat(16);

/** `sandboxes`: what runs the programs of a challenge that takes some. */
export async function builtIn(name: string, sandboxes: readonly SandboxDriver[] = []): Promise<BuiltIn> {
  const loaded = await loadRubric(join(library, name));
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems, null, 1));
  const { rubric } = loaded;
  const shared = { gateway: createGateway(createProviders({})), sandboxes, signal: new AbortController().signal, onProgress: () => {} };
  const phaseNamed = (phaseName: string) => {
    const phase = rubric.rubric.phases.find((one) => one.name === phaseName);
    if (!phase) throw new Error(`${name} has no phase "${phaseName}"`);
    return phase;
  };
  return {
    rubric,
    run: async (submission, phaseName, seed = firstSeed) => {
      const phase = phaseNamed(phaseName);
      const document = typeof submission === 'string' ? await documentAt(rubric, submission) : submission;
      const checked = checkSubmission(
        rubric.rubric,
        phase.splits.flatMap((split) => rubric.cases[split]),
        document,
      );
      if (!checked.ok) throw new Error(JSON.stringify(checked.errors));
      return await runLocal({ ...shared, rubric, phase, document, seed, targets: rubric.rubric.targets });
    },
    gates: () => checkGates(rubric, { ...shared, onGate: () => {} }),
    verify: async (submission, phase) => verified(rubric, phaseNamed(phase), await documentAt(rubric, submission), shared),
  };
}

async function verified(
  rubric: LoadedRubric,
  phase: Phase,
  submission: SubmissionDocument,
  shared: Pick<EvaluationDeps, 'gateway' | 'sandboxes' | 'signal'>,
): Promise<{ verdict: Verdict; judges: Set<string> }> {
  const judges = new Set<string>();
  const nothing = async () => {};
  const { verdict } = await evaluate(
    { id: 'verification', rubric, phase, submission, seed: firstSeed, targets: rubric.rubric.targets, purpose: 'verification' },
    {
      ...{ gateway: shared.gateway, sandboxes: shared.sandboxes, signal: shared.signal, checkpoint: [] },
      allotment: wholeBudget(rubric.rubric.budget),
      judging: { allotment: wholeBudget(rubric.rubric.judging), replies: null },
      sink: {
        ...{ splitStarted: nothing, splitFinished: nothing, sandboxOpened: nothing, grading: nothing, called: () => {} },
        caseFinished: async (_, texts) => {
          for (const exchange of JSON.parse(texts.transcript ?? '[]') as Exchange[]) {
            if (exchange.askedBy === 'judge') judges.add(exchange.target);
          }
        },
      },
    },
  );
  return { verdict, judges };
}

async function documentAt(rubric: LoadedRubric, path: string): Promise<SubmissionDocument> {
  const kinds = rubric.rubric.submission.map((form) => form.kind);
  const read = readSubmissionFile(path, await readFile(join(rubric.folder, path)), kinds);
  if (!read.ok) throw new Error(`${path}: ${read.problem}`);
  return read.document;
}

/** A metric's value; fails where the report has none. */
export function metricOf(report: EvaluationReport, name: string): number {
  const metric = report.metrics[name];
  if (!metric) throw new Error(`no metric "${name}": ${report.outcome} ${report.reason?.message ?? ''}`);
  return metric.value;
}
