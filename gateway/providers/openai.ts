import OpenAI, { APIConnectionTimeoutError, APIError } from 'openai';
import { z } from 'zod';
import type { ChatMessage, StopReason, TokenCount } from '../../contracts/chat.ts';
import type { TargetSpec } from '../../contracts/target.ts';
import { faultOfHttp, malformed } from './http-fault.ts';
import { httpFetch } from './http-fetch.ts';
import { type ChatEvent, isForcedStrict, officialUrls, type Provider, ProviderFault, type ProviderRequest } from './provider.ts';
import { samplingOf } from './sampling.ts';

export interface OpenAiOptions {
  /** Absent for servers that ask for none (vLLM, Ollama, llama.cpp behind a base URL). */
  apiKey?: string | undefined;
  baseUrl?: string | undefined;
  /** Time until the response's headers. */
  timeoutMs?: number | undefined;
}

/**
 * OpenAI chat completions, and everything that speaks them. The SDK's own retries are off: the gateway decides what
 * is retried, and only it knows whether bytes have reached the caller.
 */
export function openaiProvider(options: OpenAiOptions): Provider {
  const baseURL = options.baseUrl ?? officialUrls.openai;
  // Every setting the SDK would read from the environment is given here, so that only our configuration counts.
  const client = new OpenAI({
    apiKey: options.apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    baseURL,
    fetch: httpFetch,
    maxRetries: 0,
    timeout: options.timeoutMs ?? 60_000,
    logLevel: 'off',
  });
  return {
    address: baseURL,
    check: () => null,
    stream: (request, target, _context, signal) => stream(client, bodyOf(request, target, baseURL === officialUrls.openai), target, signal),
  };
}

async function* stream(
  client: OpenAI,
  body: OpenAI.ChatCompletionCreateParamsStreaming,
  target: TargetSpec,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const reader = new ChunkReader(target.model);
  try {
    for await (const chunk of await client.chat.completions.create(body, { signal })) yield* reader.read(chunk);
    yield reader.end();
  } catch (error) {
    const fault = faultOf(error);
    if (fault !== 'content-filter') throw fault;
    yield { type: 'end', stopReason: 'content_filter', tokens: null, returnedModel: target.model, fingerprint: null };
  }
}

function faultOf(error: unknown): ProviderFault | 'content-filter' {
  if (error instanceof ProviderFault) return error;
  if (error instanceof APIConnectionTimeoutError) {
    return new ProviderFault('transport', 'OpenAI did not answer in time', { httpStatus: 504, retryable: true });
  }
  if (error instanceof APIError) {
    // Some compatible servers send a number here.
    const given: unknown = error.code ?? error.type;
    const code = typeof given === 'string' ? given : null;
    return faultOfHttp('OpenAI', { status: error.status, code, message: error.message, headers: error.headers });
  }
  if (error instanceof SyntaxError) return malformed('OpenAI', 'not JSON');
  return new ProviderFault('transport', 'The connection to OpenAI broke', { httpStatus: 502, retryable: true });
}

const Chunk = z.object({
  model: z.string().max(200).optional(),
  system_fingerprint: z.string().max(200).nullish(),
  choices: z.array(
    z.object({
      finish_reason: z.string().nullish(),
      delta: z
        .object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
          tool_calls: z
            .array(
              z.object({
                index: z.number().int().nonnegative().max(127).default(0),
                id: z.string().max(200).nullish(),
                function: z.object({ name: z.string().max(200).nullish(), arguments: z.string().nullish() }).nullish(),
              }),
            )
            .nullish(),
        })
        .nullish(),
    }),
  ),
  usage: z.unknown().optional(),
});
type ToolDelta = { index: number; id?: string | null | undefined; function?: { name?: string | null | undefined } | null | undefined };
const ChunkUsage = z.object({ prompt_tokens: z.number().int().nonnegative(), completion_tokens: z.number().int().nonnegative() });

const stopReasons: Readonly<Record<string, StopReason>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
};

/** Turns the chunks of one reply into events. */
class ChunkReader {
  #model: string;
  #fingerprint: string | null = null;
  #finish: string | null = null;
  #refused = false;
  #tokens: TokenCount | null = null;
  /** The tool at each index of the wire: some servers use index 0 for every tool and tell them apart by id only. */
  readonly #tools = new Map<number, { index: number; id: string }>();
  #toolCount = 0;

  constructor(requestedModel: string) {
    this.#model = requestedModel;
  }

  *read(raw: unknown): Generator<ChatEvent> {
    const parsed = Chunk.safeParse(raw);
    if (!parsed.success) throw malformed('OpenAI', parsed.error.issues[0]?.message ?? 'unexpected shape');
    const chunk = parsed.data;
    if (chunk.model) this.#model = chunk.model;
    if (chunk.system_fingerprint) this.#fingerprint = chunk.system_fingerprint;
    const usage = ChunkUsage.safeParse(chunk.usage);
    if (usage.success) {
      this.#tokens = { inputTokens: usage.data.prompt_tokens, outputTokens: usage.data.completion_tokens, estimated: false };
    }
    const choice = chunk.choices[0];
    if (!choice) return;
    if (choice.delta?.content) yield { type: 'text', text: choice.delta.content };
    if (choice.delta?.refusal) {
      this.#refused = true;
      yield { type: 'text', text: choice.delta.refusal };
    }
    for (const delta of choice.delta?.tool_calls ?? []) {
      const tool = this.#tools.get(delta.index);
      if (!tool || (delta.id && delta.id !== tool.id)) yield this.#startTool(delta);
      const text = delta.function?.arguments;
      if (text) yield { type: 'tool-arguments', index: this.#tools.get(delta.index)!.index, text };
    }
    if (choice.finish_reason) this.#finish = choice.finish_reason;
  }

  #startTool(delta: ToolDelta): ChatEvent {
    const name = delta.function?.name;
    if (!name) throw malformed('OpenAI', 'a tool call without a name');
    const tool = { index: this.#toolCount++, id: delta.id ?? `call_${delta.index}` };
    this.#tools.set(delta.index, tool);
    return { type: 'tool-start', ...tool, name };
  }

  end(): ChatEvent {
    if (this.#finish === null) throw malformed('OpenAI', 'the stream ended before the reply did');
    const known = stopReasons[this.#finish] ?? 'stop';
    const stopReason = this.#refused ? 'refusal' : known === 'stop' && this.#toolCount > 0 ? 'tool_calls' : known;
    return { type: 'end', stopReason, tokens: this.#tokens, returnedModel: this.#model, fingerprint: this.#fingerprint };
  }
}

function bodyOf(request: ProviderRequest, target: TargetSpec, official: boolean): OpenAI.ChatCompletionCreateParamsStreaming {
  const sampling = samplingOf(request, target);
  return {
    model: target.model,
    messages: request.messages.map(messageOf),
    stream: true,
    stream_options: { include_usage: true },
    // The official service knows both names and its newer models only the first; many other servers only the second.
    ...(official ? { max_completion_tokens: request.maxOutputTokens } : { max_tokens: request.maxOutputTokens }),
    ...(sampling.temperature === undefined ? {} : { temperature: sampling.temperature }),
    ...(sampling.topP === undefined ? {} : { top_p: sampling.topP }),
    ...(sampling.seed === undefined ? {} : { seed: sampling.seed }),
    ...(request.stop === undefined || request.stop.length === 0 ? {} : { stop: request.stop }),
    ...toolsOf(request),
  };
}

/** A strict tool that is forced is called once: with parallel calls the schema is no longer guaranteed. */
function toolsOf(
  request: ProviderRequest,
): Pick<OpenAI.ChatCompletionCreateParamsStreaming, 'tools' | 'tool_choice' | 'parallel_tool_calls'> {
  if (request.tools === undefined || request.tools.length === 0) return {};
  const choice = request.toolChoice;
  const alone = isForcedStrict(request);
  return {
    tools: request.tools.map((tool) => ({
      type: 'function',
      function: {
        name: tool.name,
        parameters: tool.parameters,
        ...(tool.strict && { strict: true }),
        ...(tool.description === undefined ? {} : { description: tool.description }),
      },
    })),
    ...(choice === undefined
      ? {}
      : { tool_choice: typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } } }),
    ...(alone && { parallel_tool_calls: false }),
  };
}

function messageOf(message: ChatMessage): OpenAI.ChatCompletionMessageParam {
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.toolCallId, content: message.content };
  if (message.role !== 'assistant') return { role: message.role, content: message.content };
  const calls = message.toolCalls ?? [];
  if (calls.length === 0) return { role: 'assistant', content: message.content };
  return {
    role: 'assistant',
    content: message.content === '' ? null : message.content,
    tool_calls: calls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } })),
  };
}
