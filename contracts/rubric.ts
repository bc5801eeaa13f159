import { z } from 'zod';
import { everyGrader, GraderSpec } from './graders.ts';
import { Slug } from './ids.ts';
import { Json } from './json.ts';
import { RiskTier } from './risk-tier.ts';
import { CaseIsolation, Language, Limits, Profile } from './sandbox.ts';
import { Source } from './sources.ts';
import { Outcome } from './status.ts';
import { SubmissionKind } from './submission.ts';
import { Budget, TargetSpec } from './target.ts';

export const Split = z.enum(['public', 'hidden', 'holdout']);
export type Split = z.infer<typeof Split>;

/** A path inside the rubric's folder: relative, forward slashes, no `..`, no hidden files. */
export const RubricPath = z
  .string()
  .max(200)
  .regex(/^(?!.*(^|\/)\.)[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, 'a relative path inside the rubric folder');

/** A JSON Schema (draft 2020-12 subset that ajv compiles in strict mode). */
const JsonSchemaObject = z.record(z.string(), Json);

export const SubmissionForm = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('answers'),
    /** Schema of the answer to one case. */
    schema: JsonSchemaObject,
    maxBytes: z.number().int().positive().max(16_777_216).default(1_048_576),
  }),
  z.strictObject({
    kind: z.literal('prompts'),
    maxMessages: z.number().int().min(1).max(100).default(1),
    maxCharacters: z.number().int().min(1).max(100_000).default(4_000),
  }),
  z.strictObject({
    kind: z.literal('defence'),
    maxCharacters: z.number().int().min(1).max(100_000).default(8_000),
    /** What is sent as the user's message of each case. */
    message: Source.default('input/prompt'),
  }),
  z.strictObject({
    kind: z.literal('program'),
    languages: z.array(Language).min(1).default(['javascript', 'python']),
    maxBytes: z.number().int().positive().max(4_194_304).default(262_144),
    /** Schema of what the entry point returns for one case. */
    schema: JsonSchemaObject,
  }),
  z.strictObject({
    kind: z.literal('image'),
    /** Schema of what the image's program answers for one case. */
    schema: JsonSchemaObject,
  }),
  z.strictObject({ kind: z.literal('report') }),
]);
export type SubmissionForm = z.infer<typeof SubmissionForm>;

/** The languages of programs that these forms take. */
export const acceptedLanguages = (forms: readonly SubmissionForm[]): Language[] =>
  forms.flatMap((form) => (form.kind === 'program' ? form.languages : []));

/** A random text drawn from the evaluation's seed; what the target must keep and the grader looks for. */
export const SecretSpec = z.strictObject({
  name: Slug,
  alphabet: z.enum(['alphanumeric', 'letters', 'digits']).default('alphanumeric'),
  length: z.number().int().min(6).max(64),
  per: z.enum(['case', 'evaluation']).default('case'),
});
export type SecretSpec = z.infer<typeof SecretSpec>;

export const Criterion = z.strictObject({
  name: Slug,
  title: z.string().max(200),
  grader: GraderSpec,
  /** Share in the case's score, relative to the other criteria; 0 reports without counting. */
  weight: z.number().min(0).max(1000).default(1),
  /** Only for these kinds of submission; all when absent. */
  for: z.array(SubmissionKind).min(1).optional(),
  /**
   * `case`: below `atLeast` the case scores 0. `submission`: below it on any case the whole submission is `invalid`
   * (a rule of the challenge was broken).
   */
  gate: z.strictObject({ scope: z.enum(['case', 'submission']), atLeast: z.number().min(0).max(1).default(1) }).optional(),
});
export type Criterion = z.infer<typeof Criterion>;

const metricBase = { name: Slug, title: z.string().max(200) };
export const MetricSpec = z.discriminatedUnion('kind', [
  /** Mean of one criterion, or of the weighted case score, over all cases of the phase; a missing answer counts 0. */
  z.strictObject({ ...metricBase, kind: z.literal('mean'), of: z.union([z.literal('case-score'), z.strictObject({ criterion: Slug })]) }),
  /** Mean of the means per group; with the groups safe/unsafe this is balanced accuracy. */
  z.strictObject({ ...metricBase, kind: z.literal('group-mean'), criterion: Slug, by: Source }),
  /** (x - prior) / (1 - prior): what is left of another metric above a guess that needs no model. */
  z.strictObject({ ...metricBase, kind: z.literal('lift'), of: Slug, prior: z.number().min(0).max(0.999) }),
  /** Weighted mean of other metrics. */
  z.strictObject({ ...metricBase, kind: z.literal('weighted'), of: z.record(Slug, z.number().positive()) }),
]);
export type MetricSpec = z.infer<typeof MetricSpec>;

export const Control = z.strictObject({
  path: RubricPath,
  title: z.string().max(200),
  /** `oracle` must reach the maximum, `null` must stay below the pass threshold, the others within `expect`. */
  role: z.enum(['oracle', 'null', 'cheat', 'honest']),
  phase: Slug.optional(),
  expect: z.strictObject({ outcome: Outcome.optional(), min: z.number().optional(), max: z.number().optional() }).default({}),
});
export type Control = z.infer<typeof Control>;

export const Phase = z.strictObject({ name: Slug, title: z.string().max(200), splits: z.array(Split).min(1) });
export type Phase = z.infer<typeof Phase>;

export const Rubric = z
  .strictObject({
    format: z.literal(1),
    name: Slug,
    title: z.string().min(3).max(120),
    summary: z.string().min(10).max(400),
    tags: z.array(Slug).max(20).default([]),
    riskTier: RiskTier,
    /** Hidden cases can be read by anyone (they are in a public repository): no bounty can be put on it. */
    demonstration: z.boolean().default(false),
    /** Plain words a participant must read first: what is simulated, what is missing. */
    notice: z.string().max(2000).optional(),
    attribution: z.array(z.strictObject({ what: z.string().max(300), source: z.url().max(500), license: z.string().max(100) })).default([]),
    submission: z.array(SubmissionForm).min(1).max(4),
    targets: z.array(TargetSpec).max(16).default([]),
    budget: Budget.default({ calls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 }),
    secrets: z.array(SecretSpec).max(8).default([]),
    sandbox: z
      .strictObject({
        profiles: z.array(Profile).min(1),
        limits: Limits.prefault({}),
        cases: CaseIsolation.default('independent'),
        /** Demands gVisor: work waits for a worker that has it. */
        runtime: z.literal('runsc').optional(),
      })
      .optional(),
    cases: z.strictObject({ public: RubricPath, hidden: RubricPath.optional(), holdout: RubricPath.optional() }),
    /** The first phase is the one a submission enters when it names none. */
    phases: z.array(Phase).min(1).max(8),
    /** Repeats of every case, each with its own seed. */
    trials: z.number().int().min(1).max(20).default(1),
    criteria: z.array(Criterion).min(1).max(32),
    metrics: z.array(MetricSpec).min(1).max(32),
    /** Name of the metric that is the score. */
    score: Slug,
    pass: z.strictObject({
      threshold: z.number(),
      /** The bound of the score's interval that must reach the threshold. */
      bound: z.enum(['lower', 'point']).default('lower'),
      level: z.number().min(0.5).max(0.999).default(0.95),
    }),
    verification: z
      .strictObject({ replicas: z.number().int().min(1).max(10).default(3), agreement: z.number().min(0).max(1).default(1) })
      .prefault({}),
    /** `public` always gives full feedback; a hidden score is rounded to this step; holdout answers yes or no. */
    feedback: z.strictObject({ hiddenRounding: z.number().min(0.0001).max(0.5).default(0.01) }).prefault({}),
    bounties: z
      .array(
        z.strictObject({
          name: Slug,
          threshold: z.number(),
          amountMinor: z.number().int().positive(),
          currency: z.string().regex(/^[A-Z]{3}$/),
          count: z.number().int().positive(),
        }),
      )
      .default([]),
    controls: z.array(Control).default([]),
    /** Shipped submissions that are judged at first start. */
    samples: z.array(z.strictObject({ path: RubricPath, title: z.string().max(200), phase: Slug.optional() })).default([]),
  })
  .superRefine(checkReferences);
export type Rubric = z.infer<typeof Rubric>;

/** Everything a name points at must exist; said with the path of the name that does not. */
function checkReferences(rubric: RubricShape, context: z.RefinementCtx): void {
  const complain = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
  const criteria = new Set(rubric.criteria.map((c) => c.name));
  const metrics = new Set(rubric.metrics.map((m) => m.name));
  const targets = new Set(rubric.targets.map((t) => t.name));
  const phases = new Set(rubric.phases.map((p) => p.name));
  const unique = (list: { name: string }[], field: string) => {
    const seen = new Set<string>();
    for (const [i, { name }] of list.entries()) {
      if (seen.has(name)) complain([field, i, 'name'], `"${name}" is used twice`);
      seen.add(name);
    }
  };
  for (const field of ['criteria', 'metrics', 'targets', 'phases', 'secrets'] as const) unique(rubric[field], field);
  if (!metrics.has(rubric.score)) complain(['score'], `no metric is named "${rubric.score}"`);
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
  rubric.submission.forEach((form, i) => {
    if (form.kind === 'report')
      complain(['submission', i, 'kind'], `"${form.kind}" submissions are named in format 1 but cannot be judged by this version yet`);
    if ((form.kind === 'prompts' || form.kind === 'defence') && targets.size === 0)
      complain(['targets'], `"${form.kind}" submissions need a target to be sent to`);
  });
  checkSandbox(rubric, complain);
  if (rubric.demonstration && rubric.bounties.length > 0)
    complain(['bounties'], 'no bounty can be put on a demonstration: its hidden cases are public');
}

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
  phases: Phase[];
  secrets: SecretSpec[];
  score: string;
  cases: Partial<Record<Split, string | undefined>>;
  controls: { phase?: string | undefined }[];
  samples: { phase?: string | undefined }[];
  submission: SubmissionForm[];
  sandbox?: { profiles: Profile[]; limits: Limits; cases: CaseIsolation; runtime?: 'runsc' | undefined } | undefined;
  demonstration: boolean;
  bounties: unknown[];
}

/** The criteria and metrics a metric is computed from. */
export function metricInputs(metric: MetricSpec): { criteria: string[]; metrics: string[] } {
  switch (metric.kind) {
    case 'mean':
      return { criteria: metric.of === 'case-score' ? [] : [metric.of.criterion], metrics: [] };
    case 'group-mean':
      return { criteria: [metric.criterion], metrics: [] };
    case 'lift':
      return { criteria: [], metrics: [metric.of] };
    case 'weighted':
      return { criteria: [], metrics: Object.keys(metric.of) };
  }
}

/** One line of a `cases/*.jsonl` file. */
export const Case = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9._-]+$/)
    .max(100),
  /** What participants key their answer with; the id when absent. */
  key: z.string().min(1).max(4096).optional(),
  /** What participants and their programs may see. */
  input: Json,
  /** What graders compare with; never leaves the grading side. */
  expected: Json.optional(),
  /** Cases of one group are resampled together (slots of one dialogue). */
  group: z.string().max(100).optional(),
  /** Which target this case is about; the rubric's first when absent. */
  target: Slug.optional(),
});
export type Case = z.infer<typeof Case>;
export const caseKey = (c: Case): string => c.key ?? c.id;
