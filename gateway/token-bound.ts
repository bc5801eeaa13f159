import type { ChatRequest } from '../contracts/chat.ts';

/**
 * Upper bounds of what a provider may count as input, without its tokenizer.
 *
 * Text: every tokenizer in use here (byte-level BPE, or SentencePiece with byte fallback) emits tokens that each cover
 * at least one byte of UTF-8, so a text never has more tokens than bytes. Around it come fixed parts:
 * - a few special tokens per message and a priming of the reply: 3 to 4, and 3 (OpenAI cookbook, "How to count tokens
 *   with tiktoken"); chat templates of open models add up to about 15 per message and a default system line;
 * - with tools, a hidden system prompt: at most 530 tokens (Anthropic, "Tool use pricing and tokens"); definitions are
 *   rewritten into another notation, which is bounded by twice their JSON plus a frame per tool.
 *
 * A provider that counts more than this is charged for in full and shown as overshoot: see `Meter`.
 */
const requestTokens = 64;
const messageTokens = 16;
const toolCallTokens = 16;
const toolsTokens = 600;
const toolTokens = 64;

const bytes = (text: string): number => Buffer.byteLength(text, 'utf8');

/** Bytes of everything in a request that a model reads. */
export function requestBytes(request: ChatRequest): number {
  let sum = 0;
  for (const message of request.messages) {
    sum += bytes(message.content);
    if (message.role === 'tool') sum += bytes(message.toolCallId);
    if (message.role === 'assistant') {
      for (const call of message.toolCalls ?? []) sum += bytes(call.id) + bytes(call.name) + bytes(call.arguments);
    }
  }
  return sum;
}

/** The most input tokens a provider can count for `request`. */
export function inputTokenBound(request: ChatRequest): number {
  let bound = requestTokens + requestBytes(request) + messageTokens * request.messages.length;
  for (const message of request.messages) {
    if (message.role === 'assistant') bound += toolCallTokens * (message.toolCalls?.length ?? 0);
  }
  if (request.tools !== undefined && request.tools.length > 0) {
    bound += toolsTokens + toolTokens * request.tools.length + 2 * bytes(JSON.stringify(request.tools));
  }
  return bound;
}
