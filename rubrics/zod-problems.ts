import type { z } from 'zod';

export interface SchemaProblem {
  path: readonly PropertyKey[];
  /** An unknown key below `path`. */
  key?: string;
  message: string;
}

type Issue = z.core.$ZodIssue;

/**
 * What a schema found wrong, one problem per place. An unknown key is reported under its own name; of a union that
 * fits nowhere, the branch that came furthest speaks, since that is the one the author meant.
 */
export const schemaProblems = (error: z.ZodError): SchemaProblem[] => error.issues.flatMap((issue) => fromIssue(issue, []));

function fromIssue(issue: Issue, above: readonly PropertyKey[]): SchemaProblem[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path, key, message: `unknown key "${key}"` }));
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branches = issue.errors.map((issues) => issues.flatMap((inner) => fromIssue(inner, path)));
    const furthest = branches.reduce((best, branch) => (depth(branch) > depth(best) ? branch : best));
    if (depth(furthest) > path.length) return furthest;
    return [{ path, message: branches.map((branch) => branch[0]?.message).join(', or: ') }];
  }
  return [{ path, message: issue.message }];
}

const depth = (problems: readonly SchemaProblem[]): number =>
  Math.max(0, ...problems.map(({ path, key }) => path.length + (key === undefined ? 0 : 1)));
