import type { z } from 'zod';
import { canonicalJson } from './canonical.ts';
import { everyGrader } from './graders.ts';
import type { JudgeGraderSpec, JudgeSpec, JuryGraderSpec } from './judging.ts';
import { metricInputs, type MetricSpec } from './metrics.ts';
import type { Criterion, Phase, SecretSpec, Split, SubmissionForm } from './rubric.ts';
import type { CaseIsolation, Limits, Profile } from './sandbox.ts';
import type { SubmissionKind } from './submission.ts';
import type { Budget, TargetSpec } from './target.ts';

/** Everything a name points at must exist; said with the path of the name that does not. */
export function checkReferences(rubric: RubricShape, context: z.RefinementCtx): void {
  const complain = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
  const criteria = new Set(rubric.criteria.map((c) => c.name));
  const metrics = new Set(rubric.metrics.map((m) => m.name));
  const targets = new Set(rubric.targets.map((t) => t.name));
  const phases = new Set(rubric.phases.map((p) => p.name));
  const judges = new Map(rubric.judges.map((j) => [j.name, j]));
  const unique = (list: { name: string }[], field: string) => {
    const seen = new Set<string>();
    for (const [i, { name }] of list.entries()) {
      if (seen.has(name)) complain([field, i, 'name'], `"${name}" is used twice`);
      seen.add(name);
    }
  };
  for (const field of ['criteria', 'metrics', 'targets', 'judges', 'phases', 'secrets'] as const) unique(rubric[field], field);
  if (!metrics.has(rubric.score)) complain(['score'], `no metric is named "${rubric.score}"`);
  for (const [i, { metric }] of (rubric.pass.require ?? []).entries())
    if (!metrics.has(metric)) complain(['pass', 'require', i, 'metric'], `no metric is named "${metric}"`);
  rubric.metrics.forEach((metric, i) => {
    const wanted = metricInputs(metric);
    for (const name of wanted.criteria) if (!criteria.has(name)) complain(['metrics', i], `no criterion is named "${name}"`);
    for (const name of wanted.metrics) {
      const before = rubric.metrics.findIndex((m) => m.name === name);
      if (before < 0 || before >= i) complain(['metrics', i], `"${name}" is not a metric declared before this one`);
    }
  });
  rubric.criteria.forEach((criterion, i) => {
    for (const { path, grader } of everyGrader(criterion.grader)) {
      if (grader.kind === 'reasr' && !targets.has(grader.target))
        complain(['criteria', i, 'grader', ...path, 'target'], `no target is named "${grader.target}"`);
      if (grader.kind === 'judge' || grader.kind === 'jury')
        checkJudges(grader, judges, (at, message) => complain(['criteria', i, 'grader', ...path, ...at], message));
    }
  });
  rubric.phases.forEach((phase, i) => {
    for (const split of phase.splits) if (!rubric.cases[split]) complain(['phases', i, 'splits'], `there is no file of ${split} cases`);
  });
  for (const field of ['controls', 'samples'] as const) {
    rubric[field].forEach((entry, i) => {
      if (entry.phase !== undefined && !phases.has(entry.phase)) complain([field, i, 'phase'], `no phase is named "${entry.phase}"`);
    });
  }
  rubric.submission.forEach((form) => {
    if ((form.kind === 'prompts' || form.kind === 'defence') && targets.size === 0)
      complain(['targets'], `"${form.kind}" submissions need a target to be sent to`);
  });
  if (rubric.judges.length > 0 && rubric.judging.calls === 0)
    complain(['judging'], 'judges are asked from a budget of their own, and it holds no call: give "judging" calls, tokens and cost');
  rubric.calibrations.forEach((calibration, i) => {
    if (!criteria.has(calibration.criterion))
      complain(['calibrations', i, 'criterion'], `no criterion is named "${calibration.criterion}"`);
  });
  checkSandbox(rubric, complain);
  if (rubric.demonstration && rubric.bounties.length > 0)
    complain(['bounties'], 'no bounty can be put on a demonstration: its hidden cases are public');
}

/** Judges that exist, each once; a held-out judge that also grades would be no held-out judge. */
function checkJudges(
  grader: JudgeGraderSpec | JuryGraderSpec,
  judges: ReadonlyMap<string, JudgeSpec>,
  complain: (path: (string | number)[], message: string) => void,
): void {
  for (const field of ['judges', 'heldOut'] as const) {
    grader[field].forEach((name, i) => {
      if (!judges.has(name)) complain([field, i], `no judge is named "${name}"`);
      if (grader[field].indexOf(name) < i) complain([field, i], `"${name}" is listed twice`);
    });
  }
  grader.heldOut.forEach((name, i) => {
    const same = grader.judges.find((other) => other === name || isSameModel(judges.get(other), judges.get(name)));
    if (same !== undefined)
      complain(['heldOut', i], `"${name}" is the model that grades as "${same}": participants must never face a held-out judge`);
  });
  if (grader.kind !== 'jury') return;
  if (grader.quorum > grader.judges.length) complain(['quorum'], `asks for ${grader.quorum} verdicts of ${grader.judges.length} judges`);
  if (grader.heldOut.length > 0 && grader.quorum > grader.heldOut.length)
    complain(['heldOut'], `holds ${grader.heldOut.length} judges where the quorum is ${grader.quorum}`);
  // Else whoever keeps most of the panel from a verdict lets a minority speak for it.
  const panel = Math.max(grader.judges.length, grader.heldOut.length);
  if (grader.agreement === 'majority' && grader.quorum * 2 <= panel)
    complain(['quorum'], `is ${grader.quorum} of ${panel} judges: a majority needs more than half of them`);
}

const isSameModel = (a: JudgeSpec | undefined, b: JudgeSpec | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.provider === b.provider &&
  a.model === b.model &&
  canonicalJson(a.settings) === canonicalJson(b.settings);

/** Whether the sandbox can run what the rubric accepts, under what it demands. */
function checkSandbox({ submission, sandbox, bounties }: RubricShape, complain: (path: string[], message: string) => void): void {
  const accepts = (kind: SubmissionKind) => submission.some((form) => form.kind === kind);
  const profiles = new Set(sandbox?.profiles);
  if (accepts('image') && !profiles.has('image'))
    complain(['sandbox', 'profiles'], 'a rubric that accepts images must name the profile "image"');
  if (sandbox === undefined) {
    if (accepts('program')) complain(['sandbox'], 'a rubric that accepts programs must say in which sandbox they run');
    return;
  }
  if (accepts('program') && !profiles.has('node') && !profiles.has('python')) {
    // WebAssembly in a process of the host is a thinner wall than a container: money does not hang on it.
    if (bounties.length > 0)
      complain(['sandbox', 'profiles'], 'programs on which bounties hang run in containers only: offer "node" or "python"');
    if (sandbox.runtime !== undefined) complain(['sandbox', 'profiles'], 'gVisor runs containers only: offer "node" or "python"');
  }
  if (sandbox.cases === 'shared' && profiles.has('js'))
    complain(['sandbox', 'cases'], 'profile "js" starts every case afresh: cases can share state in "node", "python" and "image" only');
  if (sandbox.cases === 'shared' && sandbox.limits.artifacts.files > 0)
    complain(
      ['sandbox', 'limits', 'artifacts'],
      'artifacts are collected when everything of a case has ended, which cases that share a process do not',
    );
}

interface RubricShape {
  criteria: Criterion[];
  metrics: MetricSpec[];
  targets: TargetSpec[];
  judges: JudgeSpec[];
  judging: Budget;
  calibrations: { criterion: string }[];
  phases: Phase[];
  secrets: SecretSpec[];
  score: string;
  pass: { require?: { metric: string }[] | undefined };
  cases: Partial<Record<Split, string | undefined>>;
  controls: { phase?: string | undefined }[];
  samples: { phase?: string | undefined }[];
  submission: SubmissionForm[];
  sandbox?: { profiles: Profile[]; limits: Limits; cases: CaseIsolation; runtime?: 'runsc' | undefined } | undefined;
  demonstration: boolean;
  bounties: unknown[];
}
