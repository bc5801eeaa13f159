import type { ChatRequest, StopReason } from '../../../contracts/chat.ts';
import type { Json } from '../../../contracts/json.ts';
import type { CaseRef, SimulatedWorld } from '../../session.ts';

/**
 * A small deterministic program that behaves like one known weakness of a model. It exists so that every rubric runs
 * without a key and without the internet; it is never shown as a real model's result. It may look into the trusted side
 * of the evaluation (expected answers, secrets), because a real target would have them in its weights or its prompt.
 */
export type SimulatedModel = (request: ChatRequest, context: SimulatedContext) => SimulatedReply;

/** Also one that answers later, or never: it is given up when the signal aborts. Every `SimulatedModel` is one. */
export type WaitingModel = (
  request: ChatRequest,
  context: SimulatedContext,
  signal: AbortSignal,
) => SimulatedReply | Promise<SimulatedReply>;

export interface SimulatedContext {
  world: SimulatedWorld;
  ref: CaseRef;
  /** `settings` of the target in the rubric; their meaning is the model's. */
  settings: Record<string, Json>;
}

export interface SimulatedReply {
  text: string;
  /** `stop` when absent. */
  stopReason?: StopReason;
  /** Tools it calls after the text; then it ends with `tool_calls` unless `stopReason` says otherwise. */
  toolCalls?: readonly { name: string; arguments: string }[];
}

/** Text of the last message of a user; empty when there is none. */
export function lastUserMessage(request: ChatRequest): string {
  return request.messages.findLast((message) => message.role === 'user')?.content ?? '';
}
