import type { ChatFault, ChatReply, StopReason, TokenCount } from '../../contracts/chat.ts';
import type { Json } from '../../contracts/json.ts';
import type { TargetSpec } from '../../contracts/target.ts';
import type { ChatEvent } from '../providers/provider.ts';
import { parseOpenAi } from './openai.ts';
import { type ReplyStream, sse, type Wire } from './wire.ts';

/** OpenAI has no stop reason for a refusal: it is a `stop` whose message has `refusal`. */
const finishReasons: Readonly<Record<StopReason, string>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'content_filter',
  refusal: 'stop',
};

const modelOf = (target: TargetSpec): Json => ({ id: target.name, object: 'model', created: 0, owned_by: 'rubric' });

export const openaiWire: Wire = {
  parse: parseOpenAi,
  reply: (reply) => ({
    ...head('chat.completion', reply.id, reply.returnedModel),
    system_fingerprint: reply.fingerprint,
    choices: [{ index: 0, message: messageOf(reply), logprobs: null, finish_reason: finishReasons[reply.stopReason] }],
    usage: usageOf(reply.tokens),
  }),
  stream: (model, id, includeUsage) => openaiStream(model, id, includeUsage),
  error: errorOf,
  models: (targets) => ({ object: 'list', data: targets.map(modelOf) }),
  model: modelOf,
};

const head = (object: string, id: string, model: string) => ({
  id: `chatcmpl-${id}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model,
});

/** A refusal stands in `content` too: programs that read only that must not find it empty. */
const refusalOf = (reply: ChatReply): string | null =>
  reply.stopReason === 'refusal' ? reply.content || 'The model refused to answer.' : null;

function messageOf(reply: ChatReply): Json {
  const calls = reply.toolCalls.map((call) => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.arguments },
  }));
  return {
    role: 'assistant',
    content: reply.content === '' && calls.length > 0 ? null : reply.content,
    refusal: refusalOf(reply),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

const usageOf = (tokens: TokenCount): Json => ({
  prompt_tokens: tokens.inputTokens,
  completion_tokens: tokens.outputTokens,
  total_tokens: tokens.inputTokens + tokens.outputTokens,
});

function openaiStream(model: string, id: string, includeUsage: boolean): ReplyStream {
  const frame = head('chat.completion.chunk', id, model);
  // With usage asked for, every chunk but the last has `usage: null`.
  const usage: { usage?: null } = includeUsage ? { usage: null } : {};
  let started = false;
  const chunk = (delta: Json, finish: string | null = null, fingerprint: string | null = null): string => {
    const choices: Json = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
    const text = sse(null, { ...frame, system_fingerprint: fingerprint, choices, ...usage });
    if (started) return text;
    started = true;
    const opening: Json = [{ index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }];
    return sse(null, { ...frame, system_fingerprint: fingerprint, choices: opening, ...usage }) + text;
  };
  return {
    event: (event) => {
      const delta = deltaOf(event);
      return delta === null ? '' : chunk(delta);
    },
    end: (reply) => {
      const refusal = refusalOf(reply);
      const last = chunk(refusal === null ? {} : { refusal }, finishReasons[reply.stopReason], reply.fingerprint);
      const counted = sse(null, { ...frame, system_fingerprint: reply.fingerprint, choices: [], usage: usageOf(reply.tokens) });
      return `${last}${includeUsage ? counted : ''}data: [DONE]\n\n`;
    },
    fault: (fault) => sse(null, errorOf(fault)),
  };
}

function deltaOf(event: ChatEvent): Json | null {
  switch (event.type) {
    case 'text':
      return { content: event.text };
    case 'tool-start':
      return { tool_calls: [{ index: event.index, id: event.id, type: 'function', function: { name: event.name, arguments: '' } }] };
    case 'tool-arguments':
      return { tool_calls: [{ index: event.index, function: { arguments: event.text } }] };
    case 'end':
      return null;
  }
}

function errorOf(fault: ChatFault): Json {
  return { error: { message: fault.message, param: null, ...namesOf(fault) } };
}

function namesOf(fault: ChatFault): { type: string; code: string | null } {
  switch (fault.kind) {
    case 'overflow':
      return { type: 'invalid_request_error', code: 'context_length_exceeded' };
    case 'budget':
      return { type: 'insufficient_quota', code: 'insufficient_quota' };
    case 'policy':
      return { type: 'invalid_request_error', code: fault.httpStatus === 404 ? 'model_not_found' : null };
    case 'transport':
    case 'aborted':
      return { type: 'server_error', code: fault.kind };
  }
}
