import { z } from 'zod';
import { type ChatFault, type ChatRequest, type ChatResult, Exchange } from '../contracts/chat.ts';
import type { CaseResult } from '../contracts/evaluation.ts';
import { Json, parseBoundedJson } from '../contracts/json.ts';
import { caseKey, type SubmissionForm } from '../contracts/rubric.ts';
import type { Reason } from '../contracts/status.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import { replayKey } from '../gateway/providers/replay.ts';
import { promptOf } from '../rubrics/prompt-texts.ts';
import { reportAnswer } from './collect.ts';
import type { PlannedCase } from './plan.ts';

/** Bytes by their SHA-256, checked; null when there are none. Throws when they are damaged. */
export type ReadBlob = (hash: string) => Promise<Uint8Array | null>;

/** What a case that was answered left for graders. */
export interface KeptCase {
  answer: Json | undefined;
  /** What the submission asked, in order. */
  transcript: readonly Exchange[];
  /** What graders asked targets when it ran. */
  questions: KeptQuestions;
}

type Read<T> = { ok: true; value: T } | { ok: false; problem: Reason };

export interface KeptFrom {
  submission: SubmissionDocument;
  forms: readonly SubmissionForm[];
  read: ReadBlob;
}

/** Rebuilds what graders saw of an answered case, from the submission and the blobs under the result's hashes. */
export async function keptCase(planned: PlannedCase, result: CaseResult, from: KeptFrom): Promise<Read<KeptCase>> {
  const exchanges = await readTranscript(result, from.read);
  if (!exchanges.ok) return exchanges;
  const answer = await readAnswer(planned, result, from);
  if (!answer.ok) return answer;
  const askedBy = (who: Exchange['askedBy']) => exchanges.value.filter((exchange) => exchange.askedBy === who);
  return { ok: true, value: { answer: answer.value, transcript: askedBy('submission'), questions: keptQuestions(askedBy('grader')) } };
}

function readTranscript(result: CaseResult, read: ReadBlob): Promise<Read<Exchange[]>> {
  if (result.transcriptHash === null) return Promise.resolve({ ok: true, value: [] });
  return readKept(result, { what: 'transcript', hash: result.transcriptHash, schema: z.array(Exchange) }, read);
}

async function readAnswer(
  planned: PlannedCase,
  result: CaseResult,
  { submission, forms, read }: KeptFrom,
): Promise<Read<Json | undefined>> {
  switch (submission.kind) {
    case 'program':
    case 'image':
      if (result.answerHash === undefined) return { ok: false, problem: answerNotKept(result) };
      return readKept(result, { what: 'answer', hash: result.answerHash, schema: Json }, read);
    case 'answers': {
      const key = caseKey(planned.case);
      return { ok: true, value: Object.hasOwn(submission.answers, key) ? submission.answers[key] : undefined };
    }
    case 'prompts': {
      const form = forms.find((one) => one.kind === 'prompts');
      return { ok: true, value: form === undefined ? undefined : promptOf(form, submission.prompts, planned.case) };
    }
    case 'report':
      return { ok: true, value: reportAnswer(submission) };
    case 'defence':
      return { ok: true, value: undefined };
  }
}

/** A request on the wire nests 64 levels at most, and a transcript puts a few around it. */
const mostDepth = 80;

/**
 * The content of a blob, bounded and checked by schema: hosts that run submitted code write these blobs, and a hash says
 * only that they are what such a host wrote.
 */
async function readKept<T>(
  result: CaseResult,
  { what, hash, schema }: { what: string; hash: string; schema: z.ZodType<T> },
  read: ReadBlob,
): Promise<Read<T>> {
  const lost = (why: string): Read<T> => ({ ok: false, problem: keptLost(result, `its ${what} (blob ${hash}) ${why}`) });
  let bytes: Uint8Array | null;
  try {
    bytes = await read(hash);
  } catch (error) {
    return lost(`cannot be read: ${(error as Error).message}`);
  }
  if (bytes === null) return lost('is missing');
  const json = parseBoundedJson(bytes, { maxBytes: bytes.byteLength, maxDepth: mostDepth });
  if (!json.ok) return lost(json.problem);
  const parsed = schema.safeParse(json.value);
  return parsed.success ? { ok: true, value: parsed.data } : lost(`is not what it should be: ${parsed.error.issues[0]?.message ?? ''}`);
}

const nameOf = ({ split, caseId, trial }: CaseResult): string => `${split} case ${caseId}, trial ${trial}`;

const keptLost = (result: CaseResult, what: string): Reason => ({
  code: 'kept_lost',
  faultOf: 'platform',
  message: `${nameOf(result)}: ${what}`.slice(0, 2_000),
  advice: 'Restore the blob from a copy, or let the submission be evaluated anew.',
});

const answerNotKept = (result: CaseResult): Reason => ({
  code: 'answer_not_kept',
  faultOf: 'platform',
  message: `${nameOf(result)}: what the program answered was not kept, because it ran before answers were`,
  advice: 'Let the submission be evaluated anew; its answers are kept then.',
});

/** The answers to the questions that were asked then, as the door to targets now. */
export interface KeptQuestions {
  ask(request: ChatRequest): Promise<ChatResult>;
  /** The first question to which no answer is kept, in words; null when there was none. */
  unasked(): string | null;
}

/**
 * A question that was asked several times is answered as often, in the order of then. One that was not asked, or not as
 * often, has no answer: asking the target now would mix two runs in one verdict, and a made-up reply would be a forged one.
 */
export function keptQuestions(exchanges: readonly Exchange[]): KeptQuestions {
  const waiting = new Map<string, Exchange[]>();
  for (const exchange of exchanges) {
    const key = questionKey(exchange.request);
    waiting.set(key, [...(waiting.get(key) ?? []), exchange]);
  }
  let unasked: string | null = null;
  return {
    ask: async (request) => {
      const exchange = waiting.get(questionKey(request))?.shift();
      if (exchange?.reply) return { ok: true, reply: exchange.reply };
      if (exchange?.fault) return { ok: false, fault: exchange.fault };
      unasked ??= `target "${request.target}" was never asked "${(request.messages.at(-1)?.content ?? '').slice(0, 200)}" there`;
      return { ok: false, fault: notKept };
    },
    unasked: () => unasked,
  };
}

/** Replay keys leave out the target's name; here it counts, because both versions have the same targets. */
const questionKey = (request: ChatRequest): string => `${request.target} ${replayKey(request)}`;

const notKept: ChatFault = { kind: 'policy', httpStatus: 404, message: 'No reply to this question was kept' };

/** Why a case whose graders asked something new has no grade. */
export const askedAnew = (result: CaseResult, unasked: string): Reason => ({
  code: 'question_not_kept',
  faultOf: 'sponsor',
  message: `${nameOf(result)}: the newer grader asks what the kept run does not answer: ${unasked}`.slice(0, 2_000),
  advice: 'Keep the grader’s questions as they were, or let the submission be evaluated anew by the newer version.',
});
