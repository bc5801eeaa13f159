import type { Grade } from '../../contracts/evaluation.ts';
import type { GraderSpec } from '../../contracts/graders.ts';
import type { Json } from '../../contracts/json.ts';
import { all, any, not, weighted } from '../graders/combinators.ts';
import type { GradeResult, Grader, GradingContext } from '../graders/grader.ts';
import { jef } from '../graders/jef.ts';
import type { Part } from '../graders/parts.ts';

/** Where a part stands: its index in each combination on the way down. */
export type PartPath = readonly number[];

/**
 * What a combination would have given without one of its parts, computed by the combination's own code from the parts'
 * scores that its evidence kept; nothing is graded again. Out of `all`, `any` and `weighted` the part is taken; in a
 * combination that needs it (`jef`, or a sole part) it counts as met. Null where the evidence does not hold the parts.
 */
export async function gradeWithoutPart(spec: GraderSpec, grade: Pick<Grade, 'evidence'>, path: PartPath): Promise<GradeResult | null> {
  const rebuilt = rebuild(spec, { status: 'graded', score: null, evidence: grade.evidence }, path);
  return rebuilt === null ? null : await rebuilt(noContext);
}

/** Stored results look at nothing. */
const noContext = {} as GradingContext;

const met: GradeResult = { status: 'graded', score: 1, evidence: {} };

function rebuild(spec: GraderSpec, result: GradeResult, path: PartPath): Grader | null {
  const [index, ...deeper] = path;
  if (index === undefined) return () => result;
  const stored = storedParts(result.evidence.parts);
  const specs = partSpecs(spec);
  if (stored === null || stored.length !== specs.length) return null;
  const parts: (Part | null)[] = specs.map((inner, i) => {
    const own = stored[i] as GradeResult;
    if (i !== index) return { kind: inner.kind, grader: () => own };
    if (deeper.length === 0) return specs.length > 1 && spec.kind !== 'jef' ? null : { kind: inner.kind, grader: () => met };
    const grader = rebuild(inner, own, deeper);
    return { kind: inner.kind, grader: grader === null ? () => own : spec.kind === 'not' && wasBlank(own) ? emptied(grader) : grader };
  });
  return combine(spec, parts);
}

/** Was the part of a `not` empty by what it looked at, not by a part of its own that may be taken out? */
const wasBlank = ({ evidence }: GradeResult): boolean =>
  evidence.empty === true && !(storedParts(evidence.parts) ?? []).some((part) => part.evidence.empty === true);

const emptied =
  (grader: Grader): Grader =>
  async (context) => {
    const result = await grader(context);
    return { ...result, evidence: { ...result.evidence, empty: true } };
  };

function combine(spec: GraderSpec, parts: readonly (Part | null)[]): Grader | null {
  const left = parts.filter((part) => part !== null);
  switch (spec.kind) {
    case 'all':
      return all(left, spec.atLeast);
    case 'any':
      return any(left, spec.atLeast);
    case 'weighted':
      return weighted(parts.flatMap((part, i) => (part === null ? [] : [{ ...part, weight: spec.parts[i]?.weight ?? 0 }])));
    case 'not':
      return left[0] === undefined ? null : not(left[0], spec.atLeast);
    case 'jef': {
      const [vendors, models, retargetable, fidelity] = left;
      return vendors && models && retargetable && fidelity ? jef({ vendors, models, retargetable, fidelity }) : null;
    }
    default:
      return null;
  }
}

/** In the order in which the evidence holds them. */
function partSpecs(spec: GraderSpec): GraderSpec[] {
  switch (spec.kind) {
    case 'all':
    case 'any':
      return spec.parts;
    case 'weighted':
      return spec.parts.map(({ grader }) => grader);
    case 'not':
      return [spec.part];
    case 'jef':
      return [spec.vendors, spec.models, spec.retargetable, spec.fidelity];
    default:
      return [];
  }
}

/** Every part inside a grader that can be dropped, with a name that its author finds: `any/2 (regex)`. A sole part is the whole. */
export function droppableParts(spec: GraderSpec): { path: PartPath; name: string }[] {
  const found: { path: PartPath; name: string }[] = [];
  const visit = (inner: GraderSpec, path: PartPath, name: string): void => {
    const specs = partSpecs(inner);
    for (const [i, part] of specs.entries()) {
      const here = `${name}${inner.kind}/${i + 1}`;
      if (specs.length > 1) found.push({ path: [...path, i], name: `${here} (${part.kind})` });
      visit(part, [...path, i], `${here}/`);
    }
  };
  visit(spec, [], '');
  return found;
}

function storedParts(value: Json | undefined): GradeResult[] | null {
  if (!Array.isArray(value)) return null;
  const parts: GradeResult[] = [];
  for (const part of value) {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return null;
    const { status, score, evidence } = part;
    if (status !== 'graded' && status !== 'needs_review' && status !== 'error') return null;
    parts.push({
      status,
      score: typeof score === 'number' ? score : null,
      evidence: evidence !== null && typeof evidence === 'object' && !Array.isArray(evidence) ? evidence : {},
    });
  }
  return parts;
}
