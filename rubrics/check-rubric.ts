import { demandsOf } from '../contracts/queue.ts';
import type { Case, Rubric, Split } from '../contracts/rubric.ts';
import type { SubmissionKind } from '../contracts/submission.ts';
import { judgeMoney } from './calibration/judge-money.ts';
import { ambiguousKeys } from './check-keys.ts';
import { checkMetricSources, checkWheres, groupsMissing } from './check-metrics.ts';
import { appliesTo } from './grade-case.ts';
import { checkGrader } from './graders/check-grader.ts';
import { asText, resolveCaseSource, sourceHead } from './graders/sources.ts';
import { metricApplies } from './metrics.ts';
import { promptCaseProblems, type PromptsForm } from './prompt-texts.ts';
import type { PlacedCase } from './read-cases.ts';
import type { RubricProblem } from './rubric.ts';
import { compileSchema } from './schemas.ts';

type Path = readonly (string | number)[];
type Complain = (path: Path, message: string) => void;
type Files = ReadonlyMap<string, Uint8Array>;

/**
 * What the schema alone cannot see: that named files, presets, secrets and schemas exist and work, and that every
 * accepted kind of submission can get a score. `lineOf` finds the line of a path in rubric.yaml.
 */
export function checkRubric(rubric: Rubric, files: Files, lineOf: (path: Path) => number | null): RubricProblem[] {
  const problems: RubricProblem[] = [];
  const complain: Complain = (path, message) => problems.push({ file: 'rubric.yaml', line: lineOf(path), path: path.join('/'), message });
  checkPaths(rubric, files, complain);
  checkForms(rubric, complain);
  const secrets = new Set(rubric.secrets.map(({ name }) => name));
  for (const [i, criterion] of rubric.criteria.entries()) {
    for (const { path, message } of checkGrader(criterion.grader, { secrets, files, demands: demandsOf(rubric) }))
      complain(['criteria', i, 'grader', ...path], message);
  }
  checkMetricSources(rubric, complain);
  if (problems.length === 0 && rubric.bounties.length > 0) checkMoney(rubric, files, complain);
  return problems;
}

/** A bounty is released on a grade: where a judge gives it, somebody must have shown that it can be believed. */
function checkMoney(rubric: Rubric, files: Files, complain: Complain): void {
  for (const reason of judgeMoney(rubric, (path) => files.get(path)).reasons)
    complain(['bounties'], `no bounty can hang on this judge: ${reason}`);
}

function checkPaths(rubric: Rubric, files: Files, complain: Complain): void {
  const exists = (file: string | undefined, path: Path) => {
    if (file !== undefined && !files.has(file)) complain(path, `the folder has no file "${file}"`);
  };
  for (const split of ['public', 'hidden', 'holdout'] as const) exists(rubric.cases[split], ['cases', split]);
  for (const field of ['controls', 'samples'] as const) {
    for (const [i, { path }] of rubric[field].entries()) exists(path, [field, i, 'path']);
  }
  for (const [i, { report }] of rubric.calibrations.entries()) exists(report, ['calibrations', i, 'report']);
  for (const [i, target] of rubric.targets.entries()) {
    if (target.provider === 'replay') exists(target.model, ['targets', i, 'model']);
  }
}

function checkForms(rubric: Rubric, complain: Complain): void {
  for (const [i, form] of rubric.submission.entries()) {
    if (rubric.submission.findIndex(({ kind }) => kind === form.kind) < i)
      complain(['submission', i, 'kind'], `"${form.kind}" is listed twice`);
    if (form.kind === 'answers' || form.kind === 'program') {
      const compiled = compileSchema(form.schema);
      if (!compiled.ok) complain(['submission', i, 'schema'], `expected a JSON Schema: ${compiled.problem}`);
    }
    // A person decides a report: nothing has to add up to a score.
    if (form.kind !== 'report') checkScored(rubric, form.kind, complain);
    checkRequired(rubric, form.kind, complain);
    if (form.kind === 'defence' && sourceHead(form.message) !== 'input')
      complain(['submission', i, 'message'], 'what is sent to the target is read from input');
    if (form.kind === 'prompts') checkPromptsForm(form, (path, message) => complain(['submission', i, ...path], message));
  }
}

/** Can a submission of this kind get a score? */
function checkScored(rubric: Rubric, kind: SubmissionKind, complain: Complain): void {
  const score = rubric.metrics.find(({ name }) => name === rubric.score);
  if (!rubric.criteria.some((criterion) => criterion.weight > 0 && appliesTo(criterion, kind)))
    complain(['criteria'], `no criterion with a weight applies to "${kind}" submissions`);
  else if (score && !metricApplies(rubric, score, kind))
    complain(['score'], `"${rubric.score}" is made of criteria that do not apply to "${kind}" submissions`);
}

/** A required metric that cannot be computed would end every submission of the kind as an error. */
function checkRequired(rubric: Rubric, kind: SubmissionKind, complain: Complain): void {
  for (const [i, { metric: name }] of (rubric.pass.require ?? []).entries()) {
    const required = rubric.metrics.find((metric) => metric.name === name);
    if (required && !metricApplies(rubric, required, kind))
      complain(['pass', 'require', i, 'metric'], `"${name}" is made of criteria that do not apply to "${kind}" submissions`);
  }
}

function checkPromptsForm(form: PromptsForm, complain: Complain): void {
  const ways = (['template', 'frame', 'position'] as const).filter((name) => form[name] !== undefined);
  if (ways.length > 1) complain([ways[1] ?? ''], `a prompt is made by one of template, frame and position, not by ${ways.join(' and ')}`);
  if (form.template && form.maxMessages > 1) complain(['maxMessages'], 'a template is one message');
  const read = { 'template/fill': form.template?.fill, 'frame/of': form.frame?.of, position: form.position };
  for (const [path, source] of Object.entries(read)) {
    if (source !== undefined && sourceHead(source) !== 'input') complain(path.split('/'), 'what is sent to the target is read from input');
  }
}

/** Checks of the cases: unique ids, keys a submission can tell apart, existing targets, groups for group means. */
export function checkCases(
  rubric: Rubric,
  cases: Readonly<Record<Split, readonly PlacedCase[]>>,
  lineOf: (path: Path) => number | null = () => null,
): RubricProblem[] {
  const problems: RubricProblem[] = [];
  const ids = new Map<string, string>();
  const targets = new Set(rubric.targets.map(({ name }) => name));
  for (const split of ['public', 'hidden', 'holdout'] as const) {
    const file = rubric.cases[split] ?? '';
    for (const { case: c, line } of cases[split]) {
      const complain = (path: string, message: string) => problems.push({ file, line, path, message });
      const before = ids.get(c.id);
      if (before !== undefined) complain('id', `"${c.id}" is already the id of ${before}`);
      else ids.set(c.id, `${file}:${line}`);
      if (c.target !== undefined && !targets.has(c.target)) complain('target', `no target is named "${c.target}"`);
      for (const message of missingTexts(rubric, c)) complain('', message);
    }
  }
  const complain: Complain = (path, message) => problems.push({ file: 'rubric.yaml', line: lineOf(path), path: path.join('/'), message });
  checkWheres(rubric, { public: plain(cases.public), hidden: plain(cases.hidden), holdout: plain(cases.holdout) }, complain);
  return [...problems, ...ambiguousKeys(rubric, cases)];
}

const plain = (placed: readonly PlacedCase[]): Case[] => placed.map(({ case: c }) => c);

function missingTexts(rubric: Rubric, c: Case): string[] {
  const missing = groupsMissing(rubric, c);
  for (const form of rubric.submission) {
    if (form.kind === 'defence' && asText(resolveCaseSource(form.message, c)).length === 0)
      missing.push(`the case has no text at "${form.message}" to send to the target`);
    if (form.kind === 'prompts') missing.push(...promptCaseProblems(form, c));
  }
  return missing;
}
