import { createHash } from 'node:crypto';
import { canonicalJson } from '../../contracts/canonical.ts';
import { everyGrader, type GraderSpec } from '../../contracts/graders.ts';
import type { JudgeGraderSpec, JudgeSpec, JuryGraderSpec } from '../../contracts/judging.ts';

export type JudgedSpec = JudgeGraderSpec | JuryGraderSpec;

const sha256 = (value: object): string => createHash('sha256').update(canonicalJson(value)).digest('hex');

const isJudged = (grader: GraderSpec): grader is JudgedSpec => grader.kind === 'judge' || grader.kind === 'jury';

/** The parts of a grader that ask judges. */
export const judgedParts = (spec: GraderSpec): JudgedSpec[] =>
  everyGrader(spec).flatMap(({ grader }) => (isJudged(grader) ? [grader] : []));

/** SHA-256 over what of a judge decides its replies: provider, model, settings and the room it has. Not its name, price or patience. */
export const judgeIdentity = ({ provider, model, settings, maxOutputTokens, contextTokens }: JudgeSpec): string =>
  sha256({ provider, model, settings, maxOutputTokens, contextTokens });

/** SHA-256 over a criterion's grader without its lists of judges: any other change makes it another grader. */
export function graderIdentity(spec: GraderSpec): string {
  const copy = structuredClone(spec);
  for (const part of judgedParts(copy)) Object.assign(part, { judges: [], heldOut: [] });
  return sha256(copy);
}

/** The same grader, decided by these judges alone. Only for a grader with one judged part. */
export function decidedBy(spec: GraderSpec, judges: readonly string[]): GraderSpec {
  const copy = structuredClone(spec);
  for (const part of judgedParts(copy)) Object.assign(part, { judges: [...judges], heldOut: [] });
  return copy;
}

/**
 * The panels whose calibration a grader needs: a judge alone, each one, because whoever makes the first one fail has the
 * next one decide; a jury as a whole.
 */
export function panelsOf(part: JudgedSpec): { grading: string[][]; heldOut: string[][] } {
  if (part.kind === 'judge') return { grading: part.judges.map((name) => [name]), heldOut: part.heldOut.map((name) => [name]) };
  return { grading: [part.judges], heldOut: part.heldOut.length === 0 ? [] : [part.heldOut] };
}
