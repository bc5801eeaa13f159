import { createHash } from 'node:crypto';
import type { Json } from '../../contracts/json.ts';
import type { JudgeGraderSpec, JuryGraderSpec } from '../../contracts/judging.ts';
import { formOf } from './forms/compile.ts';
import type { QuestionForm } from './forms/form.ts';
import { type Brief, commitBrief, type Marking, promptHash, verdictBrief } from './prompt.ts';

/** What of a grader a judge is asked, without any text; compiled once per rubric. */
export interface CompiledQuestion {
  form: QuestionForm;
  marking: Marking;
  maxCharacters: number;
  evidenceRequired: boolean;
  verdict: Brief;
  /** Null when the judge need not derive an answer first. */
  commit: Brief | null;
  /** Of the words alone; see `promptHash`. */
  promptHash: string;
  /** Of the whole specification, sentinels included: questions of one id share a batch. */
  id: string;
}

export function compileQuestion(spec: JudgeGraderSpec | JuryGraderSpec): CompiledQuestion {
  const form = formOf(spec.question);
  const verdict = verdictBrief(form, spec.marking, spec.commitFirst !== undefined);
  const commit = spec.commitFirst === undefined ? null : commitBrief(spec.marking);
  const { marking, maxCharacters } = spec;
  const facts: Json = { marking, maxCharacters, evidence: spec.evidence };
  return {
    form,
    marking,
    maxCharacters,
    evidenceRequired: spec.evidence === 'required',
    verdict,
    commit,
    promptHash: promptHash(commit === null ? [verdict] : [commit, verdict], facts),
    id: createHash('sha256').update(JSON.stringify(spec)).digest('hex'),
  };
}
