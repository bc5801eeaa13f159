import type { JudgeGraderSpec } from '../../contracts/judging.ts';
import type { Json } from '../../contracts/json.ts';
import { compileQuestion } from '../judging/question.ts';
import { subjectOf } from '../judging/subject.ts';
import { isHeldOut, judgesFor, type Verdict, verdictOf } from '../judging/verdict.ts';
import { clipTo } from './evidence.ts';
import { graded, type GradeResult, type Grader } from './grader.ts';

/** Room for what each judge failed at, and what to do. */
export const maxJudgeMessage = 1_500;

/**
 * One judge decides; the next one is asked only when the one before gave nothing that counts. Where none did: `error` if
 * a judge is broken (it missed a sentinel or does not answer), for then the text has had no fair trial; `needs_review`
 * if the judges are well and make nothing of this text. Never a score by default.
 */
export function judge(spec: JudgeGraderSpec): Grader {
  const question = compileQuestion(spec);
  return async (context) => {
    const read = subjectOf(spec, context);
    if (!read.ok) return read.grade;
    const heldOut = isHeldOut(spec, context);
    const before: Verdict[] = [];
    for (const name of judgesFor(spec, context)) {
      const verdict = await verdictOf(context.judging, name, question, spec, read.subject);
      if (verdict.kind === 'decided' || verdict.kind === 'doubtful') return decided(verdict, before, heldOut);
      before.push(verdict);
    }
    return undecided(before, heldOut);
  };
}

function decided(verdict: Extract<Verdict, { reading: unknown }>, before: readonly Verdict[], heldOut: boolean): GradeResult {
  const evidence = { judge: verdict.judge, heldOut, ...(before.length > 0 && { before: before.map(({ judge: one }) => one) }) };
  if (verdict.kind === 'decided') return graded(verdict.reading.score, evidence);
  return { status: 'needs_review', score: null, evidence: { message: verdict.reason, proposed: verdict.reading.score, ...evidence } };
}

function undecided(all: readonly Verdict[], heldOut: boolean): GradeResult {
  const evidence: Record<string, Json> = { judges: all.map(({ judge: one }) => one), heldOut };
  const broken = all.filter((verdict) => verdict.kind === 'broken');
  return broken.length > 0 ? brokenJudges(broken, evidence) : reviewed('no judge makes a verdict of this text', all, evidence);
}

/** The error of judges that cannot be believed or reached: whose fault, and what to do. */
export function brokenJudges(broken: readonly Extract<Verdict, { kind: 'broken' }>[], evidence: Record<string, Json>): GradeResult {
  const why = broken.map(({ reason }) => reason).join('; ');
  const message = clipTo(`${why}. Nothing was graded by it: an operator must mend or replace the judge`, maxJudgeMessage);
  return { status: 'error', score: null, evidence: { message, faultOf: broken[0]?.faultOf ?? 'platform', ...evidence } };
}

/** A grade that a person gives, with what the judges said. */
export function reviewed(what: string, all: readonly Verdict[], evidence: Record<string, Json>): GradeResult {
  const reasons = all.flatMap((verdict) => ('reason' in verdict ? [verdict.reason] : []));
  const message = clipTo([what, ...reasons].join('; '), maxJudgeMessage);
  return { status: 'needs_review', score: null, evidence: { message, ...evidence } };
}
