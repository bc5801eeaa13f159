import { z } from 'zod';
import { Json } from './json.ts';
import { Usage } from './target.ts';

/**
 * The gateway's one inner language for a model call. OpenAI- and Anthropic-shaped requests are translated into it,
 * providers translate out of it, so every pair of client and provider works.
 */
export const ToolCall = z.object({ id: z.string().max(200), name: z.string().max(200), arguments: z.string().max(262_144) });
export type ToolCall = z.infer<typeof ToolCall>;

export const ChatMessage = z.discriminatedUnion('role', [
  z.object({ role: z.literal('system'), content: z.string() }),
  z.object({ role: z.literal('user'), content: z.string() }),
  z.object({ role: z.literal('assistant'), content: z.string(), toolCalls: z.array(ToolCall).optional() }),
  z.object({ role: z.literal('tool'), content: z.string(), toolCallId: z.string() }),
]);
export type ChatMessage = z.infer<typeof ChatMessage>;

export const ToolDefinition = z.object({
  name: z.string().min(1).max(128),
  description: z.string().max(8192).optional(),
  /** JSON Schema of the arguments; passed through to the provider, never evaluated here. */
  parameters: z.record(z.string(), Json),
  /** The provider must keep to the schema where it can; asked for judges only. */
  strict: z.boolean().optional(),
});
export type ToolDefinition = z.infer<typeof ToolDefinition>;

export const ToolChoice = z.union([z.enum(['auto', 'none', 'required']), z.object({ name: z.string() })]);
export type ToolChoice = z.infer<typeof ToolChoice>;

export const ChatRequest = z.object({
  /** Name of a target in the rubric; nothing else can be reached. */
  target: z.string(),
  messages: z.array(ChatMessage).min(1).max(2000),
  tools: z.array(ToolDefinition).max(128).optional(),
  toolChoice: ToolChoice.optional(),
  temperature: z.number().min(0).max(2).optional(),
  topP: z.number().min(0).max(1).optional(),
  /** Clamped by the target's own maximum and by what is left of the budget. */
  maxOutputTokens: z.number().int().positive().optional(),
  stop: z.array(z.string().max(200)).max(8).optional(),
  seed: z.number().int().optional(),
});
export type ChatRequest = z.infer<typeof ChatRequest>;

/** `content_filter`, `refusal` and `length` are behaviour of the target and are graded, never errors. */
export const StopReason = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'refusal']);
export type StopReason = z.infer<typeof StopReason>;

export const TokenCount = z.object({
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  /** True when the provider reported no usage and the gateway had to bound it from bytes. */
  estimated: z.boolean(),
});
export type TokenCount = z.infer<typeof TokenCount>;

export const ChatReply = z.object({
  id: z.string(),
  content: z.string(),
  toolCalls: z.array(ToolCall),
  stopReason: StopReason,
  /** What we asked the provider for, and what it says it ran. A difference is target drift. */
  requestedModel: z.string(),
  returnedModel: z.string(),
  fingerprint: z.string().nullable(),
  tokens: TokenCount,
});
export type ChatReply = z.infer<typeof ChatReply>;

/** Why a call gave no reply. `transport` alone is retried; `overflow`, `budget` and `refused` are the caller's. */
export const ChatFault = z.object({
  kind: z.enum(['transport', 'overflow', 'budget', 'policy', 'aborted']),
  message: z.string().max(2000),
  /** HTTP status the wire answers with. */
  httpStatus: z.number().int(),
  retryAfterMs: z.number().int().nonnegative().optional(),
});
export type ChatFault = z.infer<typeof ChatFault>;

export type ChatResult = { ok: true; reply: ChatReply } | { ok: false; fault: ChatFault };

/** One recorded call: the unit of a transcript. */
export const Exchange = z.object({
  /** Order within the case, from 0. */
  index: z.number().int().nonnegative(),
  target: z.string(),
  /** True when a simulated provider answered; shown wherever the exchange is shown. */
  simulated: z.boolean(),
  /** Who asked: the submission, a grader of ours that asks a target, or a grader that asks a judge. */
  askedBy: z.enum(['submission', 'grader', 'judge']),
  request: ChatRequest,
  reply: ChatReply.nullable(),
  fault: ChatFault.nullable(),
  /** True when the reply was one that had been kept: no provider was asked and nothing charged. */
  cached: z.boolean().optional(),
  /** What this call took out of the budget; nothing for a call that was refused before it reached the provider. */
  charged: Usage,
  startedAt: z.string(),
  durationMs: z.number().nonnegative(),
});
export type Exchange = z.infer<typeof Exchange>;

/**
 * Replies of judges that were paid for, by the hash of everything that was asked: a killed evaluation that goes on does
 * not pay for them again. What comes out of it is checked like a provider's reply, because others may write there.
 */
export interface ReplyCache {
  /** Null when nothing is kept under the key. */
  get(key: string): Promise<ChatReply | null>;
  /** Keeps a reply; one that is too large is not kept. */
  put(key: string, reply: ChatReply): Promise<void>;
  /** Takes away replies that led nowhere, so that the next attempt asks anew. */
  forget(keys: readonly string[]): Promise<void>;
}
