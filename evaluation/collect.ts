import type { ChatFault, ChatMessage } from '../contracts/chat.ts';
import type { Json } from '../contracts/json.ts';
import { caseKey } from '../contracts/rubric.ts';
import type { Artifact } from '../contracts/sandbox.ts';
import type { LimitKind } from '../contracts/status.ts';
import type { SubmissionDocument } from '../contracts/submission.ts';
import type { CaseDoor } from '../gateway/session.ts';
import { promptOf, type PromptsForm, promptTexts } from '../rubrics/prompt-texts.ts';
import type { PlannedCase } from './plan.ts';

/** What running one case left for the graders, or why there is nothing to grade. */
export type Collected =
  | { end: 'answered'; answer: Json | undefined; log: string; wallMs: number; artifacts?: readonly Artifact[] }
  | { end: 'missing' | 'fault'; message: string; log: string; wallMs: number }
  | { end: 'limit'; limit: LimitKind; message: string; log: string; wallMs: number }
  | { end: 'error'; message: string };

/** Runs one case of a submission; the kinds differ only in this. */
export type Collector = (planned: PlannedCase, door: CaseDoor, signal: AbortSignal) => Promise<Collected>;

/** `answers`: the data is there already. */
export function collectAnswers(answers: Readonly<Record<string, Json>>): Collector {
  return async (planned) => {
    const key = caseKey(planned.case);
    // Object.hasOwn: a case keyed "toString" must not find an inherited function.
    if (!Object.hasOwn(answers, key)) return { end: 'missing', message: 'the submission has no answer to this case', log: '', wallMs: 0 };
    return { end: 'answered', answer: answers[key], log: '', wallMs: 0 };
  };
}

type Report = Extract<SubmissionDocument, { kind: 'report' }>;

/** What graders see of a report. */
export const reportAnswer = ({ title, body, evidence }: Report): Json => ({
  title,
  body,
  evidence: evidence.map((piece) => ({ title: piece.title, text: piece.text })),
});

/** `report`: the text and its evidence, as data, are what advisory graders read; every case of the phase is about the same report. */
export function collectReport(report: Report): Collector {
  const answer = reportAnswer(report);
  return async () => ({ end: 'answered', answer, log: '', wallMs: 0 });
}

/**
 * `prompts`: we send the participant's messages to the case's target, one after another, as one conversation. What the
 * participant wrote for the case, before any slot is filled, is the answer that graders see.
 */
export function collectPrompts(prompts: Readonly<Record<string, string | string[]>>, firstTarget: string, form = plainForm): Collector {
  return async (planned, door, signal) => {
    const texts = promptTexts(form, prompts, planned.case);
    if (texts.length === 0) return { end: 'missing', message: 'the submission has no prompt for this case', log: '', wallMs: 0 };
    const messages: ChatMessage[] = [];
    const startedAt = performance.now();
    for (const content of texts) {
      messages.push({ role: 'user', content });
      const result = await door.chat({ target: planned.case.target ?? firstTarget, messages: [...messages] }, signal);
      if (!result.ok) return ofFault(result.fault, startedAt);
      messages.push({ role: 'assistant', content: result.reply.content });
    }
    const answer = promptOf(form, prompts, planned.case);
    return { end: 'answered', answer, log: '', wallMs: performance.now() - startedAt };
  };
}

const plainForm: PromptsForm = { kind: 'prompts', maxMessages: 100, maxCharacters: 100_000 };

/** `defence`: the participant's system prompt stands before the case's message. */
export function collectDefence(systemPrompt: string, messageOf: (planned: PlannedCase) => string, firstTarget: string): Collector {
  return async (planned, door, signal) => {
    const startedAt = performance.now();
    const user: ChatMessage = { role: 'user', content: messageOf(planned) };
    const messages: ChatMessage[] = systemPrompt === '' ? [user] : [{ role: 'system', content: systemPrompt }, user];
    const result = await door.chat({ target: planned.case.target ?? firstTarget, messages }, signal);
    if (!result.ok) return ofFault(result.fault, startedAt);
    return { end: 'answered', answer: undefined, log: '', wallMs: performance.now() - startedAt };
  };
}

/** Transport faults are ours and end the evaluation as `error`; the others are the participant's or the rubric's bounds. */
function ofFault(fault: ChatFault, startedAt: number): Collected {
  const wallMs = performance.now() - startedAt;
  switch (fault.kind) {
    case 'transport':
    case 'aborted':
      return { end: 'error', message: fault.message };
    case 'budget':
      return { end: 'limit', limit: 'budget', message: fault.message, log: '', wallMs };
    case 'overflow':
    case 'policy':
      return { end: 'fault', message: fault.message, log: '', wallMs };
  }
}
