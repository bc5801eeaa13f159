import type { ChatReply } from '../../contracts/chat.ts';
import type { Json } from '../../contracts/json.ts';
import type { FaultOf } from '../../contracts/status.ts';
import type { JudgeAccess } from './access.ts';
import { isSameAnswer } from './derived-answer.ts';
import { type Order, parseFields, type Reading } from './forms/form.ts';
import { answerTool, type BoxPart, type Brief, promptOf, verdictTool } from './prompt.ts';
import type { CompiledQuestion } from './question.ts';
import { fieldsOf } from './reply.ts';
import { showTexts } from './shown.ts';
import { z } from 'zod';

/** The texts of one question. */
export interface Subject {
  graded: readonly string[];
  about?: readonly string[];
  against?: readonly string[];
  /** What the judge solves before it sees the rest. */
  task?: readonly string[];
  /** What must come out of it. */
  expected?: Json;
}

/** What was asked of whom, for the evidence. */
export interface CallFacts {
  calls: number;
  attempts: number;
  inputTokens: number;
  outputTokens: number;
  returnedModel: string | null;
  fingerprint: string | null;
}

/** What one judge said to one question. None of these is a grade yet: its batch may be void. */
export type Said =
  | { kind: 'usable'; reading: Reading & { note?: string }; facts: CallFacts }
  /** It answered, and nothing can be made of it. */
  | { kind: 'unusable'; reason: string; facts: CallFacts }
  /** It did not answer. */
  | { kind: 'unreachable'; reason: string; faultOf: FaultOf; facts: CallFacts };

type Tried = Exclude<Said, { kind: 'unusable' }> | { kind: 'unusable'; reason: string; final: boolean; facts: CallFacts };

/** The second time with a fresh nonce, so that no kept reply is read again. */
const mostAttempts = 2;

export interface Asking {
  access: JudgeAccess;
  judge: string;
  question: CompiledQuestion;
  subject: Subject;
  /** Tells a sentinel's call from that of an equal text, and one batch's sentinels from another's. */
  salt: string;
  /** Sentinels are never answered by kept replies: those vouch for a judge of another time. */
  fresh: boolean;
}

/** Asks one judge one question, twice if its first reply is unusable. Never throws for what a judge or provider does. */
export async function askJudge(asking: Asking): Promise<Said> {
  const facts: CallFacts = { calls: 0, attempts: 0, inputTokens: 0, outputTokens: 0, returnedModel: null, fingerprint: null };
  for (let attempt = 1; ; attempt++) {
    facts.attempts = attempt;
    const tried = await attemptOnce(asking, attempt, facts);
    if (tried.kind !== 'unusable') return tried;
    if (tried.final || attempt === mostAttempts) return { kind: 'unusable', reason: tried.reason, facts };
  }
}

async function attemptOnce(asking: Asking, attempt: number, facts: CallFacts): Promise<Tried> {
  const { question, subject } = asking;
  let committed: string | undefined;
  if (question.commit !== null) {
    const derived = await deriveAnswer(asking, question.commit, attempt, facts);
    if (derived.kind !== 'answer') return derived;
    committed = derived.answer;
    if (subject.expected !== undefined && !isSameAnswer(committed, subject.expected))
      return { kind: 'unusable', reason: 'it derives another answer to the task than the case gives', final: true, facts };
  }
  const readings: Reading[] = [];
  for (const order of question.form.orders) {
    const said = await askOrder(asking, order, committed, attempt, facts);
    if (said.kind !== 'usable') return said;
    readings.push(said.reading);
  }
  return { kind: 'usable', reading: question.form.combine(readings), facts };
}

const Answer = z.strictObject({ answer: z.string().trim().min(1).max(2_000) });

async function deriveAnswer(asking: Asking, brief: Brief, attempt: number, facts: CallFacts) {
  const { question, subject } = asking;
  const parts: BoxPart[] = [['task', showTexts(subject.task ?? [], question.maxCharacters)]];
  const called = await call(asking, brief, parts, answerTool, ['commit', String(attempt)], facts);
  if (called.kind !== 'fields') return called;
  const parsed = parseFields(Answer, called.fields);
  if (!parsed.ok) return unusable(`its answer to the task ${parsed.problem}`, facts);
  return { kind: 'answer', answer: parsed.value.answer } as const;
}

async function askOrder(asking: Asking, order: Order, committed: string | undefined, attempt: number, facts: CallFacts): Promise<Tried> {
  const { question, subject } = asking;
  const most = question.maxCharacters;
  const graded = showTexts(subject.graded, most);
  const against = subject.against === undefined ? graded : showTexts(subject.against, most);
  const pair: BoxPart[] =
    order === 'forward'
      ? [
          ['first', graded],
          ['second', against],
        ]
      : [
          ['first', against],
          ['second', graded],
        ];
  const parts: BoxPart[] = [
    ...(subject.task === undefined ? [] : [['task', showTexts(subject.task, most)] as const]),
    ...(committed === undefined ? [] : [['your_answer', showTexts([committed], most)] as const]),
    ...(subject.about === undefined ? [] : [['answers_to', showTexts(subject.about, most)] as const]),
    ...(subject.against === undefined ? [['graded', graded] as const] : pair),
  ];
  const called = await call(asking, question.verdict, parts, verdictTool, [order, String(attempt)], facts);
  if (called.kind !== 'fields') return called;
  const { evidenceRequired } = question;
  const read = question.form.read(called.fields, { graded, against, mark: called.mark, order, evidenceRequired });
  return read.ok ? { kind: 'usable', reading: read.reading, facts } : unusable(`its reply ${read.problem}`, facts);
}

async function call(asking: Asking, brief: Brief, parts: readonly BoxPart[], tool: string, labels: readonly string[], facts: CallFacts) {
  const { access, judge, question, salt } = asking;
  const { request, secrets } = promptOf(brief, parts, question.marking, { seed: access.seed, labels: [judge, salt, ...labels] });
  const result = await access.ask(judge, request, { fresh: asking.fresh });
  facts.calls++;
  if (!result.ok) {
    const { kind, message } = result.fault;
    // The rubric's own purse, prompt size and recordings are the sponsor's; a provider that does not answer is not.
    const faultOf: FaultOf = kind === 'transport' || kind === 'aborted' ? 'platform' : 'sponsor';
    return { kind: 'unreachable', reason: message, faultOf, facts } as const;
  }
  count(result.reply, facts);
  const read = fieldsOf(result.reply, tool, secrets.nonce);
  return read.ok ? ({ kind: 'fields', fields: read.fields, mark: secrets.mark } as const) : unusable(`its reply ${read.problem}`, facts);
}

function count(reply: ChatReply, facts: CallFacts): void {
  facts.inputTokens += reply.tokens.inputTokens;
  facts.outputTokens += reply.tokens.outputTokens;
  facts.returnedModel = reply.returnedModel;
  facts.fingerprint = reply.fingerprint;
}

const unusable = (reason: string, facts: CallFacts) => ({ kind: 'unusable', reason, final: false, facts }) as const;
