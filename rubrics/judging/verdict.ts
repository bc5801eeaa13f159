import type { Json } from '../../contracts/json.ts';
import type { JudgeGraderSpec, JuryGraderSpec } from '../../contracts/judging.ts';
import type { FaultOf } from '../../contracts/status.ts';
import { clip, clipTo } from '../graders/evidence.ts';
import type { GradingContext } from '../graders/grader.ts';
import type { JudgeAccess } from './access.ts';
import { askJudge, type CallFacts, type Subject } from './ask.ts';
import type { Reading } from './forms/form.ts';
import type { CompiledQuestion } from './question.ts';
import { openingOf } from './sentinels.ts';
import { isCut, showTexts } from './shown.ts';

type Spec = JudgeGraderSpec | JuryGraderSpec;

/**
 * What one judge comes to on one text, its batch considered. `judge` is evidence: who was asked, how, and what it said.
 * Participants read it, so of a judge that failed it says only that: which of our attacks beat it, or what its reply to
 * their text lacked, would tell them how to beat it. Operators find the calls themselves in the evaluation's record.
 */
export type Verdict =
  | { kind: 'decided'; reading: Reading; judge: Json }
  /** It decides, but a person must look: why. */
  | { kind: 'doubtful'; reading: Reading; reason: string; judge: Json }
  /** Its sentinels are right, and of this text it makes nothing. */
  | { kind: 'unusable'; reason: string; judge: Json }
  /** It missed a sentinel or did not answer: nothing it says counts, and it is not the text's fault. */
  | { kind: 'broken'; reason: string; faultOf: FaultOf; judge: Json };

/** Is this a grade that no participant may practise on? */
export const isHeldOut = (spec: Spec, { purpose, split }: Pick<GradingContext, 'purpose' | 'split'>): boolean =>
  spec.heldOut.length > 0 && (purpose === 'verification' || split === 'holdout');

/** The judges for this case. */
export const judgesFor = (spec: Spec, context: Pick<GradingContext, 'purpose' | 'split'>): readonly string[] =>
  isHeldOut(spec, context) ? spec.heldOut : spec.judges;

const notBelieved = 'cannot be believed here';
const noAnswer = 'did not answer';
const notUsable = 'not usable';

/** Asks one judge within its batch. */
export async function verdictOf(
  access: JudgeAccess,
  name: string,
  question: CompiledQuestion,
  spec: Spec,
  subject: Subject,
): Promise<Verdict> {
  const { answer, cleared } = await access.batches.ask(
    JSON.stringify([name, question.id]),
    () => openingOf(access, name, question, spec, subject),
    () => askJudge({ access, judge: name, question, subject, salt: 'question', fresh: false }),
  );
  const judge = (more: Record<string, Json>): Json => ({ ...factsOf(access, name, question, answer?.facts ?? null), ...more });
  if (cleared.kind !== 'clear') {
    if (cleared.kind === 'missed')
      return { kind: 'broken', reason: `judge "${name}" missed a sentinel`, faultOf: 'platform', judge: judge({ broken: notBelieved }) };
    const reason = `judge "${name}" did not answer to a sentinel: ${clip(cleared.reason)}`;
    return { kind: 'broken', reason, faultOf: cleared.faultOf, judge: judge({ broken: noAnswer }) };
  }
  if (answer === null) throw new Error('a batch that is clear has asked its questions');
  if (answer.kind === 'unreachable') {
    const reason = `judge "${name}" did not answer: ${clipTo(answer.reason, 600)}`;
    return { kind: 'broken', reason, faultOf: answer.faultOf, judge: judge({ broken: noAnswer }) };
  }
  if (answer.kind === 'unusable') {
    const reason = `judge "${name}": ${answer.reason}`;
    return { kind: 'unusable', reason, judge: judge({ unusable: notUsable }) };
  }
  const { reading } = answer;
  const said = judge({ ...saidOf(reading), ...(reading.note !== undefined && { note: reading.note }) });
  const reason = doubtOf(name, reading, spec, subject);
  return reason === null ? { kind: 'decided', reading, judge: said } : { kind: 'doubtful', reading, reason, judge: said };
}

/**
 * Why a person must look at a verdict. "It is not there" about a text of which a part was not shown is what whoever
 * hides something in its middle wants to hear.
 */
function doubtOf(
  name: string,
  { confidence, byAbsence }: Reading,
  { minConfidence, maxCharacters }: Spec,
  subject: Subject,
): string | null {
  if (confidence < minConfidence) return `judge "${name}" is sure by ${confidence}, less than the ${minConfidence} that are asked for`;
  if (byAbsence && isCut(showTexts(subject.graded, maxCharacters)))
    return `judge "${name}" finds nothing, but the text is longer than the ${maxCharacters} characters it is shown`;
  return null;
}

const saidOf = ({ score, confidence, quotes, verdict }: Reading): Record<string, Json> => ({
  verdict,
  score,
  confidence,
  quotes: quotes.map(clip),
});

function factsOf(access: JudgeAccess, name: string, { promptHash }: CompiledQuestion, facts: CallFacts | null): Record<string, Json> {
  const spec = access.judges.get(name);
  return {
    name,
    provider: spec?.provider ?? null,
    model: spec?.model ?? null,
    temperature: 0,
    promptHash,
    ...(facts !== null && { ...facts, returnedModel: nullable(facts.returnedModel), fingerprint: nullable(facts.fingerprint) }),
  };
}

const nullable = (text: string | null): string | null => (text === null ? null : clip(text));
