import type { ChatFault, StopReason, TokenCount, ToolCall } from '../../contracts/chat.ts';
import { type Json, parseBoundedJson } from '../../contracts/json.ts';
import type { TargetSpec } from '../../contracts/target.ts';
import { parseAnthropic } from './anthropic.ts';
import { type ReplyStream, sse, type Wire } from './wire.ts';

/** Anthropic has one word for a refusal by the model and by a filter. */
const stopReasons: Readonly<Record<StopReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  refusal: 'refusal',
};

const modelOf = (target: TargetSpec): Json => ({
  type: 'model',
  id: target.name,
  display_name: target.title ?? target.name,
  created_at: '1970-01-01T00:00:00Z',
});

export const anthropicWire: Wire = {
  parse: parseAnthropic,
  reply: (reply) => ({
    ...head(reply.id, reply.returnedModel),
    content: [...(reply.content === '' ? [] : [{ type: 'text', text: reply.content }]), ...reply.toolCalls.map(toolBlock)],
    stop_reason: stopReasons[reply.stopReason],
    stop_sequence: null,
    usage: usageOf(reply.tokens),
  }),
  stream: (model, id) => anthropicStream(model, id),
  error: errorOf,
  models: (targets) => ({
    data: targets.map(modelOf),
    has_more: false,
    first_id: targets[0]?.name ?? null,
    last_id: targets.at(-1)?.name ?? null,
  }),
  model: modelOf,
};

const head = (id: string, model: string) => ({ id: `msg_${id}`, type: 'message', role: 'assistant', model });

const usageOf = (tokens: TokenCount): Json => ({ input_tokens: tokens.inputTokens, output_tokens: tokens.outputTokens });

const toolBlock = (call: ToolCall): Json => ({ type: 'tool_use', id: call.id, name: call.name, input: inputOf(call) });

/** Anthropic has an object where the inner language has text; what a model made that is no JSON object stays readable. */
function inputOf(call: ToolCall): Json {
  const parsed = parseBoundedJson(Buffer.from(call.arguments || '{}'), { maxBytes: 1_048_576, maxDepth: 64 });
  const isObject = parsed.ok && typeof parsed.value === 'object' && parsed.value !== null && !Array.isArray(parsed.value);
  return isObject ? parsed.value : { unparsed: call.arguments };
}

/**
 * Text is written as it comes. Tool calls are written whole at the end: content blocks of this wire come one after
 * another, while those of other providers may interleave. The input tokens are known only then, too.
 */
function anthropicStream(model: string, id: string): ReplyStream {
  let started = false;
  let textOpen = false;
  const start = (): string => {
    if (started) return '';
    started = true;
    const usage = { input_tokens: 0, output_tokens: 0 };
    const message = { ...head(id, model), content: [], stop_reason: null, stop_sequence: null, usage };
    return sse('message_start', { type: 'message_start', message });
  };
  const text = (words: string): string => {
    const opening = textOpen ? '' : blockStart(0, { type: 'text', text: '' });
    textOpen = true;
    return opening + blockDelta(0, { type: 'text_delta', text: words });
  };
  return {
    event: (event) => start() + (event.type === 'text' ? text(event.text) : ''),
    end: (reply) => {
      const offset = textOpen ? 1 : 0;
      const tools = reply.toolCalls.map((call, i) => wholeTool(offset + i, call));
      const delta = { stop_reason: stopReasons[reply.stopReason], stop_sequence: null };
      return [
        start(),
        textOpen ? blockStop(0) : '',
        ...tools,
        sse('message_delta', { type: 'message_delta', delta, usage: usageOf(reply.tokens) }),
        sse('message_stop', { type: 'message_stop' }),
      ].join('');
    },
    fault: (fault) => sse('error', errorOf(fault)),
  };
}

function wholeTool(index: number, call: ToolCall): string {
  const start = blockStart(index, { type: 'tool_use', id: call.id, name: call.name, input: {} });
  const input = JSON.stringify(inputOf(call));
  return start + blockDelta(index, { type: 'input_json_delta', partial_json: input }) + blockStop(index);
}

const blockStart = (index: number, block: Json): string =>
  sse('content_block_start', { type: 'content_block_start', index, content_block: block });
const blockDelta = (index: number, delta: Json): string => sse('content_block_delta', { type: 'content_block_delta', index, delta });
const blockStop = (index: number): string => sse('content_block_stop', { type: 'content_block_stop', index });

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

function errorOf(fault: ChatFault): Json {
  const byStatus = errorTypes[fault.httpStatus] ?? (fault.httpStatus < 500 ? 'invalid_request_error' : 'api_error');
  return { type: 'error', error: { type: byStatus, message: fault.message } };
}
