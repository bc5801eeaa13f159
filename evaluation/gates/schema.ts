import type { GateResult } from '../../contracts/gates.ts';
import type { LoadedRubric, RubricProblem } from '../../rubrics/rubric.ts';

const gate = 'schema';

/** A rubric that was loaded is valid: what it holds. */
export function schemaGate({ files, cases }: LoadedRubric): GateResult {
  const all = cases.public.length + cases.hidden.length + cases.holdout.length;
  return { gate, ok: true, measured: all, detail: `the rubric is valid: ${files.length} files, ${all} cases`, fix: '' };
}

/** What keeps a folder from being a rubric, place by place. */
export const schemaProblems = (problems: readonly RubricProblem[]): GateResult[] =>
  problems.map((problem) => ({
    ...{ gate, ok: false, control: placeOf(problem) },
    detail: problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`,
    fix: 'mend the place that is named; docs/reference/rubric.schema.json describes all fields, and editors complete them from it',
  }));

/** `rubric.yaml:12`. */
export const placeOf = ({ file, line }: RubricProblem): string => `${file === '' ? 'folder' : file}${line === null ? '' : `:${line}`}`;
