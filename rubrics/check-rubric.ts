import { caseKey, type Case, type Rubric, type Split } from '../contracts/rubric.ts';
import { appliesTo } from './grade-case.ts';
import { checkGrader } from './graders/check-grader.ts';
import { asText, resolveCaseSource, sourceHead } from './graders/sources.ts';
import { metricApplies } from './metrics.ts';
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
    for (const { path, message } of checkGrader(criterion.grader, { secrets, files }))
      complain(['criteria', i, 'grader', ...path], message);
  }
  for (const [i, metric] of rubric.metrics.entries()) {
    if (metric.kind === 'group-mean' && !['input', 'expected'].includes(sourceHead(metric.by)))
      complain(['metrics', i, 'by'], 'cases are grouped by a value at input or expected');
  }
  return problems;
}

function checkPaths(rubric: Rubric, files: Files, complain: Complain): void {
  const exists = (file: string | undefined, path: Path) => {
    if (file !== undefined && !files.has(file)) complain(path, `the folder has no file "${file}"`);
  };
  for (const split of ['public', 'hidden', 'holdout'] as const) exists(rubric.cases[split], ['cases', split]);
  for (const field of ['controls', 'samples'] as const) {
    for (const [i, { path }] of rubric[field].entries()) exists(path, [field, i, 'path']);
  }
  for (const [i, target] of rubric.targets.entries()) {
    if (target.provider === 'replay') exists(target.model, ['targets', i, 'model']);
  }
}

function checkForms(rubric: Rubric, complain: Complain): void {
  const score = rubric.metrics.find(({ name }) => name === rubric.score);
  for (const [i, form] of rubric.submission.entries()) {
    if (rubric.submission.findIndex(({ kind }) => kind === form.kind) < i)
      complain(['submission', i, 'kind'], `"${form.kind}" is listed twice`);
    if (form.kind === 'answers' || form.kind === 'program') {
      const compiled = compileSchema(form.schema);
      if (!compiled.ok) complain(['submission', i, 'schema'], `expected a JSON Schema: ${compiled.problem}`);
    }
    if (!rubric.criteria.some((criterion) => criterion.weight > 0 && appliesTo(criterion, form.kind)))
      complain(['criteria'], `no criterion with a weight applies to "${form.kind}" submissions`);
    else if (score && !metricApplies(rubric, score, form.kind))
      complain(['score'], `"${rubric.score}" is made of criteria that do not apply to "${form.kind}" submissions`);
    if (form.kind === 'defence' && sourceHead(form.message) !== 'input')
      complain(['submission', i, 'message'], 'what is sent to the target is read from input');
  }
}

/** Checks of the cases: unique ids, keys a submission can tell apart, existing targets, groups for group means. */
export function checkCases(rubric: Rubric, cases: Readonly<Record<Split, readonly PlacedCase[]>>): RubricProblem[] {
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
  return [...problems, ...ambiguousKeys(rubric, cases)];
}

function missingTexts(rubric: Rubric, c: Case): string[] {
  const defence = rubric.submission.find((form) => form.kind === 'defence');
  const unsent = defence && asText(resolveCaseSource(defence.message, c)).length === 0;
  const lacking = rubric.metrics.filter((metric) => metric.kind === 'group-mean' && asText(resolveCaseSource(metric.by, c)).length === 0);
  const groups = lacking.map(
    (metric) => `the metric "${metric.name}" groups by "${'by' in metric ? metric.by : ''}", but the case has no text there`,
  );
  return unsent ? [...groups, `the case has no text at "${defence.message}" to send to the target`] : groups;
}

/** A submission belongs to one phase, so a key may come again in another one but not twice in the same. */
function ambiguousKeys(rubric: Rubric, cases: Readonly<Record<Split, readonly PlacedCase[]>>): RubricProblem[] {
  const problems: RubricProblem[] = [];
  for (const phase of rubric.phases) {
    const keys = new Map<string, string>();
    for (const split of new Set(phase.splits)) {
      const file = rubric.cases[split] ?? '';
      for (const { case: c, line } of cases[split]) {
        const before = keys.get(caseKey(c));
        if (before !== undefined)
          problems.push({ file, line, path: 'key', message: `the key is already that of ${before} in phase "${phase.name}"` });
        else keys.set(caseKey(c), `${file}:${line}`);
      }
    }
  }
  return problems;
}
