import { createHash } from 'node:crypto';
import type { CaseResult, EvaluationReport, Grade } from '../../contracts/evaluation.ts';
import type { GateName, GateResult } from '../../contracts/gates.ts';
import type { Control, Phase } from '../../contracts/rubric.ts';
import type { SandboxDriver } from '../../contracts/sandbox.ts';
import type { SubmissionDocument, SubmissionKind } from '../../contracts/submission.ts';
import { sumOfUsage, type Usage } from '../../contracts/target.ts';
import type { Gateway } from '../../gateway/session.ts';
import { deriveSeed } from '../../rubrics/random.ts';
import type { LoadedRubric } from '../../rubrics/rubric.ts';
import { runLocal } from '../run-local.ts';

export interface GateDeps {
  gateway: Gateway;
  sandboxes: readonly SandboxDriver[];
  signal: AbortSignal;
  onGate: (result: GateResult) => void;
  /** Long gates say how far they are. */
  onProgress?: (progress: { gate: GateName; done: number; of: number }) => void;
}

/** A submission that was judged for the gates, and what came out. */
export interface Run {
  name: string;
  role: Control['role'] | 'null-suite';
  phase: Phase;
  document: SubmissionDocument;
  /** The cases' grades hold no evidence but that of the parts of combinations: all runs stay in memory to the end. */
  report: EvaluationReport;
  /** SHA-256 over every grade with all its evidence: two runs with one seed must give the same. */
  fingerprint: string;
}

export interface GateContext {
  rubric: LoadedRubric;
  /** Of all first runs: derived from the rubric's hash, so that a check repeats. */
  seed: string;
  judge(named: Pick<Run, 'name' | 'role' | 'phase' | 'document'>, seed?: string): Promise<Run>;
  progress(gate: GateName, done: number, of: number): void;
  /** What all runs so far used. */
  used(): Usage;
  signal: AbortSignal;
}

export function gateContext(rubric: LoadedRubric, deps: GateDeps): GateContext {
  const seed = deriveSeed(rubric.hash, 'gates');
  let used: Usage = sumOfUsage([]);
  return {
    rubric,
    seed,
    signal: deps.signal,
    used: () => used,
    progress: (gate, done, of) => deps.onProgress?.({ gate, done, of }),
    judge: async (named, withSeed = seed) => {
      deps.signal.throwIfAborted();
      const report = await runLocal({
        rubric,
        phase: named.phase,
        document: named.document,
        seed: withSeed,
        targets: rubric.rubric.targets,
        gateway: deps.gateway,
        sandboxes: deps.sandboxes,
        signal: deps.signal,
        onProgress: () => {},
      });
      used = sumOfUsage([used, costOf(report)]);
      const kept = { ...report, cases: report.cases.map(withoutEvidence) };
      return { ...named, report: kept, fingerprint: fingerprintOf(report.cases) };
    },
  };
}

/** What a run used of targets and judges together. */
export const costOf = ({ usage, judging }: EvaluationReport): Usage => sumOfUsage(judging === undefined ? [usage] : [usage, judging]);

/** Case by case: the grades of thousands of cases in one text are megabytes. */
function fingerprintOf(cases: readonly CaseResult[]): string {
  const hash = createHash('sha256');
  for (const one of cases) hash.update(JSON.stringify(judgedOf(one)));
  return hash.digest('hex');
}

const judgedOf = ({ caseId, trial, end, score, grades }: CaseResult) => ({ caseId, trial, end, score, grades });

const withoutEvidence = (result: CaseResult): CaseResult => ({ ...result, grades: result.grades.map(onlyParts) });

const onlyParts = (grade: Grade): Grade => ({
  ...grade,
  evidence: grade.evidence.parts === undefined ? {} : { parts: grade.evidence.parts },
});

export const kindOf = (run: Run): SubmissionKind => run.document.kind;

/** What a run came to, in words, with the reason where there is one. */
export function cameTo({ outcome, score, reason }: EvaluationReport): string {
  return `${outcome}, score ${score ?? 'none'}${reason === null ? '' : ` (${reason.message})`}`;
}

/** The number a gate shows of a run: its score, or its outcome where there is none. */
export const measuredOf = ({ outcome, score }: EvaluationReport): number | string => score ?? outcome;
