import { z } from 'zod';
import { judge, type JudgeGraderSpec, jury, type JuryGraderSpec } from './judging.ts';
import { plainGraders, type PlainGraderSpec } from './plain-graders.ts';
import { program, type ProgramGraderSpec } from './program-grader.ts';

interface Parts {
  parts: GraderSpec[];
  atLeast?: number | undefined;
}
export type CombinedGraderSpec =
  | ({ kind: 'all' } & Parts)
  | ({ kind: 'any' } & Parts)
  | { kind: 'not'; part: GraderSpec; atLeast?: number | undefined }
  | { kind: 'weighted'; parts: { grader: GraderSpec; weight: number }[] }
  | { kind: 'jef'; vendors: GraderSpec; models: GraderSpec; retargetable: GraderSpec; fidelity: GraderSpec };
export type GraderSpec = PlainGraderSpec | JudgeGraderSpec | JuryGraderSpec | ProgramGraderSpec | CombinedGraderSpec;

const inner: z.ZodType<GraderSpec> = z.lazy(() => anyGrader).register(z.globalRegistry, { id: 'Grader' });
const parts = z.array(inner).min(1).max(16);
/** A part counts as 1 at or above this and as 0 below; else its score counts as it is. */
const atLeast = z.number().min(0).max(1).optional();

const anyGrader = z.discriminatedUnion('kind', [
  ...plainGraders,
  judge,
  jury,
  program,
  /** The lowest score of the parts. */
  z.strictObject({ kind: z.literal('all'), parts, atLeast }),
  /** The highest score of the parts. */
  z.strictObject({ kind: z.literal('any'), parts, atLeast }),
  /** One minus the part's score; 0 where the answer or reply that the part looks at is missing, and where the answer is blank. */
  z.strictObject({ kind: z.literal('not'), part: inner, atLeast }),
  /** The weighted mean of the parts. */
  z.strictObject({
    kind: z.literal('weighted'),
    parts: z
      .array(z.strictObject({ grader: inner, weight: z.number().positive().max(1000) }))
      .min(1)
      .max(16),
  }),
  /** 0din's severity, divided by 10: 0.25 vendors + 0.15 models + 0.3 retargetable + 0.3 fidelity. */
  z.strictObject({ kind: z.literal('jef'), vendors: inner, models: inner, retargetable: inner, fidelity: inner }),
]);

type Path = (string | number)[];

/** The graders directly inside a grader, with their paths. */
export function graderParts(spec: GraderSpec): { path: Path; grader: GraderSpec }[] {
  switch (spec.kind) {
    case 'all':
    case 'any':
      return spec.parts.map((grader, i) => ({ path: ['parts', i], grader }));
    case 'not':
      return [{ path: ['part'], grader: spec.part }];
    case 'weighted':
      return spec.parts.map(({ grader }, i) => ({ path: ['parts', i, 'grader'], grader }));
    case 'jef':
      return (['vendors', 'models', 'retargetable', 'fidelity'] as const).map((name) => ({ path: [name], grader: spec[name] }));
    default:
      return [];
  }
}

/** A grader and all graders inside it, each with its path; the grader itself first, at the empty path. */
export function everyGrader(spec: GraderSpec): { path: Path; grader: GraderSpec; depth: number }[] {
  const found = [{ path: [] as Path, grader: spec, depth: 1 }];
  // The list grows while it is walked.
  for (const { path, grader, depth } of found) {
    for (const part of graderParts(grader)) found.push({ path: [...path, ...part.path], grader: part.grader, depth: depth + 1 });
  }
  return found;
}

const deepest = 5;
const most = 32;

export const GraderSpec: z.ZodType<GraderSpec> = inner.superRefine((spec, context) => {
  const all = everyGrader(spec);
  if (all.length > most) context.addIssue({ code: 'custom', message: `holds ${all.length} graders, at most ${most} are accepted` });
  const deep = all.find(({ depth }) => depth > deepest);
  if (deep) context.addIssue({ code: 'custom', path: deep.path, message: `graders nest at most ${deepest} deep` });
});
