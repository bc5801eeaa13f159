import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvaluationReport } from '../contracts/evaluation.ts';
import { acceptedLanguages, type Control, type Phase } from '../contracts/rubric.ts';
import type { SandboxDriver } from '../contracts/sandbox.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import { readSubmissionFile } from '../contracts/submission-file.ts';
import type { Gateway } from '../gateway/session.ts';
import { checkSubmission } from '../rubrics/check-submission.ts';
import { nullSuite } from '../rubrics/null-suite.ts';
import { deriveSeed } from '../rubrics/random.ts';
import type { LoadedRubric } from '../rubrics/rubric.ts';
import { runLocal } from './run-local.ts';
import { casesOf } from './world.ts';

/** One gate of publication: what was tried, what had to come out, what came out. */
export interface GateResult {
  gate: string;
  ok: boolean;
  detail: string;
}

export interface GateDeps {
  gateway: Gateway;
  sandboxes: readonly SandboxDriver[];
  signal: AbortSignal;
  onGate: (result: GateResult) => void;
}

/**
 * Runs the gates of DESIGN decision 12: the oracle control scores the maximum, the same oracle and seed give the same
 * result twice, every submission that knows nothing stays below the pass threshold, and every declared control ends
 * where it says. Published metrics have failed each of these (a constant list of names scores 15 % on LLM-PC).
 */
export async function checkGates(rubric: LoadedRubric, deps: GateDeps): Promise<GateResult[]> {
  const results: GateResult[] = [];
  const tell = (result: GateResult) => {
    results.push(result);
    deps.onGate(result);
  };
  const seed = deriveSeed(rubric.hash, 'gates');
  const judge = (phase: Phase, document: SubmissionDocument) =>
    runLocal({
      rubric,
      phase,
      document,
      seed,
      targets: rubric.rubric.targets,
      gateway: deps.gateway,
      sandboxes: deps.sandboxes,
      signal: deps.signal,
      onProgress: () => {},
    });
  if (!rubric.rubric.controls.some((control) => control.role === 'oracle')) {
    tell({ gate: 'oracle', ok: false, detail: 'no control has the role "oracle": nothing shows that the maximum can be reached' });
  }
  for (const control of rubric.rubric.controls) {
    for (const result of await gateOfControl(rubric, control, judge)) tell(result);
  }
  for (const phase of rubric.rubric.phases) {
    for (const { name, document } of nullSuite(rubric, phase, seed))
      tell(nullGate(rubric, `null suite: ${name} (${phase.name})`, await judge(phase, document)));
  }
  return results;
}

type Judge = (phase: Phase, document: SubmissionDocument) => Promise<EvaluationReport>;

async function gateOfControl(rubric: LoadedRubric, control: Control, judge: Judge): Promise<GateResult[]> {
  const gate = `${control.role}: ${control.title}`;
  const phase = rubric.rubric.phases.find((one) => one.name === control.phase) ?? rubric.rubric.phases[0];
  if (phase === undefined) return [{ gate, ok: false, detail: 'the rubric has no phase' }];
  const read = await readControl(rubric, control, phase);
  if (!read.ok) return [{ gate, ok: control.expect.outcome === 'invalid', detail: read.problem }];
  const report = await judge(phase, read.document);
  const results = [expectGate(gate, control, report)];
  if (control.role === 'oracle') {
    const again = await judge(phase, read.document);
    const same = JSON.stringify(gradesOf(report)) === JSON.stringify(gradesOf(again));
    results.push({
      gate: `repeat: ${control.title}`,
      ok: same,
      detail: same ? 'two runs with one seed gave equal grades' : 'two runs with one seed gave different grades',
    });
  }
  if (control.role === 'null') results.push(nullGate(rubric, gate, report));
  return results;
}

/** A control must be what a participant could send: read and checked by the same code. */
async function readControl(
  rubric: LoadedRubric,
  control: Control,
  phase: Phase,
): Promise<{ ok: true; document: SubmissionDocument } | { ok: false; problem: string }> {
  const bytes = await readFile(join(rubric.folder, control.path));
  const kinds = rubric.rubric.submission.map((form) => form.kind);
  const read = readSubmissionFile(control.path, bytes, kinds, acceptedLanguages(rubric.rubric.submission));
  if (!read.ok) return { ok: false, problem: `${control.path}: ${read.problem}` };
  const cases = casesOf(rubric, phase).map((one) => one.case);
  const checked = checkSubmission(rubric.rubric, cases, read.document);
  if (checked.ok) return read;
  const first = checked.errors[0];
  return { ok: false, problem: `${control.path}: ${first?.path ?? ''}: ${first?.message ?? 'does not fit the submission form'}` };
}

function expectGate(gate: string, control: Control, report: EvaluationReport): GateResult {
  const { expect } = control;
  const score = report.score;
  const got = `${report.outcome}, score ${score === null ? 'none' : score}${report.reason ? ` (${report.reason.message})` : ''}`;
  const min = expect.min ?? (control.role === 'oracle' ? 1 : undefined);
  const wanted = [
    // An oracle that cannot pass means that nobody can: too few cases for the interval, or a threshold out of reach.
    (expect.outcome ?? (control.role === 'oracle' ? 'pass' : report.outcome)) === report.outcome,
    // A billionth forgives the order of floating-point sums, nothing else.
    min === undefined || (score !== null && score >= min - 1e-9),
    expect.max === undefined || score === null || score <= expect.max + 1e-9,
    expect.outcome !== undefined || report.outcome !== 'error',
  ];
  return { gate, ok: wanted.every(Boolean), detail: got };
}

function nullGate(rubric: LoadedRubric, gate: string, report: EvaluationReport): GateResult {
  const { threshold } = rubric.rubric.pass;
  const below = report.outcome !== 'error' && report.outcome !== 'pass' && (report.score ?? Number.NEGATIVE_INFINITY) < threshold;
  return { gate, ok: below, detail: `${report.outcome}, score ${report.score ?? 'none'}, must stay below ${threshold}` };
}

const gradesOf = (report: EvaluationReport) =>
  report.cases.map(({ caseId, trial, end, score, grades }) => ({ caseId, trial, end, score, grades }));
