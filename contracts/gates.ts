import { z } from 'zod';
import { Sha256 } from './ids.ts';

/** The gates a rubric passes before it may be published, in the order in which they run. */
export const GateName = z.enum([
  'schema',
  'secret-scan',
  'graded',
  'reachable',
  'oracle',
  'null-suite',
  'repeats',
  'monotonicity',
  'controls',
  'mutation',
  'estimate',
  'power',
  'judges',
]);
export type GateName = z.infer<typeof GateName>;

/** One thing a gate tried: with what, what came out, and what to do about it. */
export const GateResult = z.strictObject({
  gate: GateName,
  ok: z.boolean(),
  /** The control, criterion, file or form it was tried with; absent when the whole rubric was. */
  control: z.string().optional(),
  /** The number that decided. */
  measured: z.union([z.number(), z.string()]).optional(),
  /** What happened and what had to happen. */
  detail: z.string(),
  /** What to do; empty when there is nothing to do. A gate that holds may still give advice. */
  fix: z.string(),
});
export type GateResult = z.infer<typeof GateResult>;

/** The document `collective check --json` prints. Name and hash are null for a folder that is no rubric yet. */
export const CheckReport = z.strictObject({
  rubric: z.string().nullable(),
  rubricHash: Sha256.nullable(),
  ok: z.boolean(),
  gates: z.array(GateResult),
});
export type CheckReport = z.infer<typeof CheckReport>;
