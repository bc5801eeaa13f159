import type { JudgeGraderSpec, JuryGraderSpec } from '../../contracts/judging.ts';
import type { Source } from '../../contracts/sources.ts';
import { tooLarge } from '../graders/bounded.ts';
import { noReference } from '../graders/evidence.ts';
import { graded, type GradeResult, type GradingContext } from '../graders/grader.ts';
import { resolveSource, resolveTexts } from '../graders/sources.ts';
import type { Subject } from './ask.ts';
import { isBlank, showTexts } from './shown.ts';

export type SubjectResult = { ok: true; subject: Subject } | { ok: false; grade: GradeResult };

/**
 * The texts of one case for a judge, or the grade where none need be asked: a text that is absent, or in which no reader
 * sees anything, scores 0 like a missing answer, whatever is asked about it; no judge is paid to say so, and none can be
 * talked into more. `empty` says so to a `not` around it, which would else pay for it. Errors: too much text (participant); a case without the texts to judge by (sponsor).
 */
export function subjectOf(spec: JudgeGraderSpec | JuryGraderSpec, context: GradingContext): SubjectResult {
  const texts = resolveTexts(spec.of, context);
  const large = tooLarge(texts);
  if (large) return { ok: false, grade: large };
  if (isBlank(showTexts(texts, spec.maxCharacters)))
    return { ok: false, grade: graded(0, { empty: true, message: 'there is no text to judge: no judge was asked' }) };
  const { commitFirst, question } = spec;
  const sources: [keyof Subject, Source | undefined][] = [
    ['about', spec.about],
    ['against', question.form === 'pairwise' ? question.against : undefined],
    ['task', commitFirst?.task],
  ];
  const subject: Subject = { graded: texts };
  for (const [part, source] of sources) {
    if (source === undefined) continue;
    const found = resolveTexts(source, context);
    if (found.length === 0) return { ok: false, grade: noReference(source) };
    const over = tooLarge(found);
    if (over) return { ok: false, grade: over };
    Object.assign(subject, { [part]: found });
  }
  if (commitFirst?.expected === undefined) return { ok: true, subject };
  const expected = resolveSource(commitFirst.expected, context);
  if (expected === undefined) return { ok: false, grade: noReference(commitFirst.expected) };
  return { ok: true, subject: { ...subject, expected } };
}
