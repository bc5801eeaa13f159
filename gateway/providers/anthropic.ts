import Anthropic, { APIConnectionTimeoutError, APIError } from '@anthropic-ai/sdk';
import { z } from 'zod';
import type { ChatMessage, StopReason, TokenCount, ToolCall } from '../../contracts/chat.ts';
import { parseBoundedJson } from '../../contracts/json.ts';
import type { TargetSpec } from '../../contracts/target.ts';
import { faultOfHttp, malformed } from './http-fault.ts';
import { httpFetch } from './http-fetch.ts';
import { type ChatEvent, isForcedStrict, officialUrls, type Provider, ProviderFault, type ProviderRequest } from './provider.ts';
import { samplingOf } from './sampling.ts';

export interface AnthropicOptions {
  apiKey?: string | undefined;
  baseUrl?: string | undefined;
  /** Time until the response's headers. */
  timeoutMs?: number | undefined;
}

/** Anthropic messages. The SDK's own retries are off: see `openaiProvider`. */
export function anthropicProvider(options: AnthropicOptions): Provider {
  const baseURL = options.baseUrl ?? officialUrls.anthropic;
  const client = new Anthropic({
    apiKey: options.apiKey ?? 'none',
    webhookKey: null,
    baseURL,
    fetch: httpFetch,
    maxRetries: 0,
    timeout: options.timeoutMs ?? 60_000,
    logLevel: 'off',
    openTelemetry: false,
  });
  return {
    address: baseURL,
    check: () => null,
    stream: (request, target, _context, signal) => stream(client, bodyOf(request, target), target, signal),
  };
}

async function* stream(
  client: Anthropic,
  body: Anthropic.MessageCreateParamsStreaming,
  target: TargetSpec,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const reader = new EventReader(target.model);
  try {
    for await (const event of await client.messages.create(body, { signal })) yield* reader.read(event);
    yield reader.end();
  } catch (error) {
    const fault = faultOf(error);
    if (fault !== 'content-filter') throw fault;
    yield { type: 'end', stopReason: 'content_filter', tokens: null, returnedModel: target.model, fingerprint: null };
  }
}

const ErrorBody = z.object({ error: z.object({ type: z.string(), message: z.string().optional() }) });

function faultOf(error: unknown): ProviderFault | 'content-filter' {
  if (error instanceof ProviderFault) return error;
  if (error instanceof APIConnectionTimeoutError) {
    return new ProviderFault('transport', 'Anthropic did not answer in time', { httpStatus: 504, retryable: true });
  }
  if (error instanceof APIError) {
    const body = ErrorBody.safeParse(error.error);
    const code = body.success ? body.data.error.type : null;
    const message = body.success ? (body.data.error.message ?? '') : error.message;
    return faultOfHttp('Anthropic', { status: error.status, code, message, headers: error.headers });
  }
  if (error instanceof SyntaxError) return malformed('Anthropic', 'not JSON');
  return new ProviderFault('transport', 'The connection to Anthropic broke', { httpStatus: 502, retryable: true });
}

const Count = z.number().int().nonnegative();
const Usage = z.object({
  input_tokens: Count.nullish(),
  output_tokens: Count.nullish(),
  cache_creation_input_tokens: Count.nullish(),
  cache_read_input_tokens: Count.nullish(),
});
type Usage = z.infer<typeof Usage>;
const Index = z.number().int().nonnegative().max(1000);
const Known = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message_start'), message: z.object({ model: z.string().max(200), usage: Usage.nullish() }) }),
  z.object({
    type: z.literal('content_block_start'),
    index: Index,
    content_block: z.object({ type: z.string(), id: z.string().max(200).optional(), name: z.string().max(200).optional() }),
  }),
  z.object({
    type: z.literal('content_block_delta'),
    index: Index,
    delta: z.object({ type: z.string(), text: z.string().optional(), partial_json: z.string().optional() }),
  }),
  z.object({ type: z.literal('content_block_stop') }),
  z.object({ type: z.literal('message_delta'), delta: z.object({ stop_reason: z.string().nullish() }), usage: Usage.nullish() }),
  z.object({ type: z.literal('message_stop') }),
]);
const knownTypes = new Set<unknown>([
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
]);

const stopReasons: Readonly<Record<string, StopReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'refusal',
};

/** Turns the events of one reply into ours. Kinds of event and block that are not known are left out, as the API's
 * versioning rules ask of clients. */
class EventReader {
  #model: string;
  #usage: Usage = {};
  #stopReason: string | null = null;
  #finished = false;
  /** Our tool index of each content block that is a tool call. */
  readonly #tools = new Map<number, number>();

  constructor(requestedModel: string) {
    this.#model = requestedModel;
  }

  *read(raw: { type?: unknown }): Generator<ChatEvent> {
    if (!knownTypes.has(raw?.type)) return;
    const parsed = Known.safeParse(raw);
    if (!parsed.success) throw malformed('Anthropic', parsed.error.issues[0]?.message ?? 'unexpected shape');
    const event = parsed.data;
    switch (event.type) {
      case 'message_start':
        this.#model = event.message.model;
        this.#addUsage(event.message.usage);
        return;
      case 'content_block_start':
        if (event.content_block.type === 'tool_use') yield this.#startTool(event.index, event.content_block);
        return;
      case 'content_block_delta':
        yield* this.#delta(event.index, event.delta);
        return;
      case 'message_delta':
        if (event.delta.stop_reason) this.#stopReason = event.delta.stop_reason;
        this.#addUsage(event.usage);
        return;
      case 'message_stop':
        this.#finished = true;
    }
  }

  *#delta(block: number, delta: { text?: string | undefined; partial_json?: string | undefined }): Generator<ChatEvent> {
    if (delta.text) yield { type: 'text', text: delta.text };
    const tool = this.#tools.get(block);
    if (tool !== undefined && delta.partial_json) yield { type: 'tool-arguments', index: tool, text: delta.partial_json };
  }

  #startTool(block: number, content: { id?: string | undefined; name?: string | undefined }): ChatEvent {
    if (!content.id || !content.name) throw malformed('Anthropic', 'a tool call without id or name');
    const index = this.#tools.size;
    this.#tools.set(block, index);
    return { type: 'tool-start', index, id: content.id, name: content.name };
  }

  /** Counts are totals of the whole message: a later one replaces an earlier one. */
  #addUsage(usage: Usage | null | undefined): void {
    for (const [name, count] of Object.entries(usage ?? {})) {
      if (typeof count === 'number') this.#usage = { ...this.#usage, [name]: count };
    }
  }

  #tokens(): TokenCount | null {
    const { input_tokens: input, output_tokens: output } = this.#usage;
    if (typeof input !== 'number' || typeof output !== 'number') return null;
    const cached = (this.#usage.cache_creation_input_tokens ?? 0) + (this.#usage.cache_read_input_tokens ?? 0);
    return { inputTokens: input + cached, outputTokens: output, estimated: false };
  }

  end(): ChatEvent {
    if (!this.#finished || this.#stopReason === null) throw malformed('Anthropic', 'the stream ended before the reply did');
    const stopReason = stopReasons[this.#stopReason] ?? 'stop';
    return { type: 'end', stopReason, tokens: this.#tokens(), returnedModel: this.#model, fingerprint: null };
  }
}

function bodyOf(request: ProviderRequest, target: TargetSpec): Anthropic.MessageCreateParamsStreaming {
  const sampling = samplingOf(request, target);
  const system = request.messages.filter((message) => message.role === 'system').map((message) => message.content);
  // Newer models refuse a temperature beside top_p; a temperature that only the target's default asks for gives way.
  const temperature = sampling.topP !== undefined && request.temperature === undefined ? undefined : sampling.temperature;
  return {
    model: target.model,
    max_tokens: request.maxOutputTokens,
    messages: messagesOf(request.messages),
    stream: true,
    ...(system.length === 0 ? {} : { system: system.join('\n\n') }),
    // Anthropic's scale ends at 1.
    ...(temperature === undefined ? {} : { temperature: Math.min(1, temperature) }),
    ...(sampling.topP === undefined ? {} : { top_p: sampling.topP }),
    ...(request.stop === undefined || request.stop.length === 0 ? {} : { stop_sequences: request.stop }),
    ...toolsOf(request),
  };
}

/**
 * `strict` is not sent: models before 4.5 refuse a request that holds it, and it takes away keywords of JSON Schema. A
 * forced tool and the check of its input by whoever asked do the same.
 */
function toolsOf(request: ProviderRequest): Pick<Anthropic.MessageCreateParamsStreaming, 'tools' | 'tool_choice'> {
  if (request.tools === undefined || request.tools.length === 0) return {};
  const tools = request.tools.map((tool) => ({
    name: tool.name,
    input_schema: { ...tool.parameters, type: 'object' as const },
    ...(tool.description === undefined ? {} : { description: tool.description }),
  }));
  const choice = request.toolChoice;
  if (choice === undefined) return { tools };
  if (typeof choice !== 'string') {
    const alone = isForcedStrict(request) && { disable_parallel_tool_use: true };
    return { tools, tool_choice: { type: 'tool', name: choice.name, ...alone } };
  }
  return { tools, tool_choice: { type: choice === 'required' ? 'any' : choice } };
}

/** Results of tools are content of a user's message on this wire; results that follow one another belong together. */
function messagesOf(messages: readonly ChatMessage[]): Anthropic.MessageParam[] {
  const out: Anthropic.MessageParam[] = [];
  let results: Anthropic.ToolResultBlockParam[] | null = null;
  for (const message of messages) {
    if (message.role === 'system') continue;
    if (message.role === 'tool') {
      const result = { type: 'tool_result' as const, tool_use_id: message.toolCallId, content: message.content };
      if (results === null) {
        results = [];
        out.push({ role: 'user', content: results });
      }
      results.push(result);
      continue;
    }
    results = null;
    if (message.role === 'user') out.push({ role: 'user', content: message.content });
    else out.push({ role: 'assistant', content: assistantContent(message.content, message.toolCalls ?? []) });
  }
  return out;
}

function assistantContent(text: string, calls: readonly ToolCall[]): Anthropic.MessageParam['content'] {
  if (calls.length === 0) return text;
  const blocks: Anthropic.ContentBlockParam[] = text === '' ? [] : [{ type: 'text', text }];
  for (const call of calls) blocks.push({ type: 'tool_use', id: call.id, name: call.name, input: toolInput(call.arguments) });
  return blocks;
}

/** Anthropic wants an object where OpenAI has text; text that a model made and that is no JSON object is kept as text. */
function toolInput(text: string): object {
  const parsed = parseBoundedJson(Buffer.from(text === '' ? '{}' : text), { maxBytes: 262_144, maxDepth: 64 });
  const isObject = parsed.ok && typeof parsed.value === 'object' && parsed.value !== null && !Array.isArray(parsed.value);
  return isObject ? (parsed.value as object) : { unparsed: text };
}
