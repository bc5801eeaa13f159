import type { JudgeSpec, JuryGraderSpec } from '../../contracts/judging.ts';
import { compileQuestion } from '../judging/question.ts';
import { subjectOf } from '../judging/subject.ts';
import { isHeldOut, judgesFor, type Verdict, verdictOf } from '../judging/verdict.ts';
import { graded, type GradeResult, type Grader } from './grader.ts';
import { brokenJudges, reviewed } from './judge.ts';

/**
 * Several judges, asked at once and each on its own. A usable verdict votes 1 above a score of 0.5, 0 below and abstains
 * at it; the grade is the vote, never a mean, because a mean of quarrelling judges is nobody's verdict. Without a quorum,
 * without agreement, on a tie: `needs_review`; `error` when a broken judge is why there is no quorum.
 *
 * Whoever makes one judge doubtful or mute must not thereby remove its vote. So under `unanimous` every judge of the panel
 * decides, and alike; under `majority` a doubtful verdict supports no side and stands against both.
 */
export function jury(spec: JuryGraderSpec): Grader {
  const question = compileQuestion(spec);
  return async (context) => {
    const read = subjectOf(spec, context);
    if (!read.ok) return read.grade;
    const names = judgesFor(spec, context);
    const verdicts = await Promise.all(names.map((name) => verdictOf(context.judging, name, question, spec, read.subject)));
    return tally(spec, verdicts, isHeldOut(spec, context));
  };
}

/** The grade of a jury's verdicts. */
export function tally(
  { quorum, agreement }: Pick<JuryGraderSpec, 'quorum' | 'agreement'>,
  verdicts: readonly Verdict[],
  heldOut: boolean,
): GradeResult {
  const usable = verdicts.filter((verdict) => verdict.kind === 'decided');
  const broken = verdicts.filter((verdict) => verdict.kind === 'broken');
  const pro = usable.filter(({ reading }) => reading.score > 0.5).length;
  const contra = usable.filter(({ reading }) => reading.score < 0.5).length;
  const doubtful = verdicts.filter((verdict) => verdict.kind === 'doubtful').length;
  const largest = Math.max(pro, contra);
  const voices = usable.length + doubtful;
  const evidence = {
    judges: verdicts.map(({ judge }) => judge),
    votes: { pro, contra, abstained: usable.length - pro - contra, doubtful, usable: usable.length, of: verdicts.length },
    agreement: voices === 0 ? null : largest / voices,
    heldOut,
  };
  if (usable.length < quorum) {
    if (usable.length + broken.length >= quorum && broken.length > 0) return brokenJudges(broken, evidence);
    return reviewed(`${usable.length} usable verdicts where ${quorum} are needed`, verdicts, evidence);
  }
  const agrees = agreement === 'unanimous' ? largest === verdicts.length : largest * 2 > voices;
  if (!agrees) return reviewed(`the jury does not agree: ${pro} for, ${contra} against, of ${verdicts.length} judges`, verdicts, evidence);
  return graded(pro > contra ? 1 : 0, evidence);
}

/** Who made the judges of these names, each once: judges of one vendor share their errors. */
export function vendorsOf(names: readonly string[], judges: ReadonlyMap<string, JudgeSpec>): string[] {
  const vendors = names.flatMap((name) => {
    const spec = judges.get(name);
    return spec === undefined ? [] : [spec.vendor ?? spec.provider];
  });
  return [...new Set(vendors)].sort();
}
