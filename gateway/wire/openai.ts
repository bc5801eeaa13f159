import { z } from 'zod';
import { ChatRequest, type ChatMessage } from '../../contracts/chat.ts';
import { Json } from '../../contracts/json.ts';
import { fault, type ParameterRules, refusedParameter, withoutNulls } from '../policy.ts';
import { joinParts, type ParseResult } from './wire.ts';

const media = 'images, audio and files would be fetched or stored by the provider, outside the sandbox';
const oneAnswer = 'the gateway returns one plain answer per call';
const ourSampling = 'targets are asked with temperature, top_p and seed only';

/** Every parameter of `POST /v1/chat/completions`. */
const openaiParameters: ParameterRules = {
  model: 'pass',
  messages: 'pass',
  tools: 'pass',
  tool_choice: 'pass',
  temperature: 'pass',
  top_p: 'pass',
  max_tokens: 'pass',
  max_completion_tokens: 'pass',
  stop: 'pass',
  seed: 'pass',
  stream: 'pass',
  stream_options: 'pass',
  user: 'ignore',
  metadata: 'ignore',
  safety_identifier: 'ignore',
  prompt_cache_key: 'ignore',
  prompt_cache_options: 'ignore',
  prompt_cache_retention: 'ignore',
  service_tier: 'ignore',
  n: { only: [1], because: oneAnswer },
  logprobs: { only: [false], because: 'not every target has them, and a rubric must not depend on which does' },
  top_logprobs: { only: [0], because: 'not every target has them, and a rubric must not depend on which does' },
  presence_penalty: { only: [0], because: ourSampling },
  frequency_penalty: { only: [0], because: ourSampling },
  logit_bias: { only: [{}], because: ourSampling },
  parallel_tool_calls: { only: [true], because: 'it cannot be switched off on every target' },
  response_format: { only: [{ type: 'text' }], because: 'ask for JSON through a function tool' },
  modalities: { only: [['text']], because: media },
  store: { only: [false], because: 'nothing is stored at a provider' },
  audio: { refuse: media },
  web_search_options: { refuse: 'tools that run at the provider would reach the network for the submission' },
  functions: { refuse: 'use "tools"' },
  function_call: { refuse: 'use "tool_choice"' },
  prediction: { refuse: oneAnswer },
  moderation: { refuse: oneAnswer },
  reasoning_effort: { refuse: ourSampling },
  verbosity: { refuse: ourSampling },
};

const TextPart = z.object({
  type: z.enum(['text', 'refusal'], { error: (issue) => partMessage(issue.input) }),
  text: z.string().optional(),
  refusal: z.string().optional(),
});
const partMessage = (type: unknown): string => `content of type ${JSON.stringify(type)} is not available here: ${media}`;
const Content = z.union(
  [
    z.string(),
    z
      .array(TextPart)
      .max(1000)
      .transform((parts) => joinParts(parts.map((p) => p.text ?? p.refusal ?? ''))),
  ],
  {
    error: (issue) => contentMessage(issue.input),
  },
);
/** Says which part is at fault instead of that no branch of the union fits. */
function contentMessage(input: unknown): string {
  const parts = Array.isArray(input) ? (input as { type?: unknown }[]) : [];
  const wrong = parts.find((part) => part?.type !== 'text' && part?.type !== 'refusal');
  return wrong ? partMessage(wrong.type) : 'expected text or a list of text parts';
}

const WireToolCall = z.object({
  id: z.string(),
  type: z.literal('function').default('function'),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

const Message = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer']), content: Content }),
  z.object({ role: z.literal('user'), content: Content }),
  z.object({
    role: z.literal('assistant'),
    content: Content.nullish(),
    refusal: z.string().nullish(),
    tool_calls: z.array(WireToolCall).max(128).nullish(),
    audio: z.null({ error: media }).optional(),
    function_call: z.null({ error: 'use "tool_calls"' }).optional(),
  }),
  z.object({ role: z.literal('tool'), content: Content, tool_call_id: z.string() }),
]);

const providerTool = 'only function tools are available: tools that run at the provider would reach the network for the submission';
const Body = z.object({
  model: z.string().max(200),
  messages: z.array(Message),
  tools: z
    .array(
      z.object({
        type: z.literal('function', { error: providerTool }),
        function: z.object({ name: z.string(), description: z.string().optional(), parameters: z.record(z.string(), Json).optional() }),
      }),
    )
    .optional(),
  tool_choice: z
    .union([z.enum(['auto', 'none', 'required']), z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) })])
    .optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  max_tokens: z.number().int().positive().optional(),
  max_completion_tokens: z.number().int().positive().optional(),
  stop: z.union([z.string(), z.array(z.string())]).optional(),
  seed: z.number().int().optional(),
  stream: z.boolean().default(false),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).optional(),
});
type Body = z.infer<typeof Body>;

/** Reads the body of `POST /v1/chat/completions`; every refusal names the place and the reason. */
export function parseOpenAi(body: Json): ParseResult {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return refuse('the body must be a JSON object');
  const refused = refusedParameter(body, openaiParameters);
  if (refused) return refuse(refused.message);
  const parsed = Body.safeParse(withoutNulls(body));
  if (!parsed.success) return refuse(issueText(parsed.error));
  const request = ChatRequest.safeParse(requestOf(parsed.data));
  if (!request.success) return refuse(issueText(request.error));
  const { stream, stream_options } = parsed.data;
  return { ok: true, parsed: { request: request.data, stream, includeUsage: stream_options?.include_usage === true } };
}

function requestOf(body: Body): z.input<typeof ChatRequest> {
  const maxOutputTokens = body.max_completion_tokens ?? body.max_tokens;
  const choice = body.tool_choice;
  return {
    target: body.model,
    messages: body.messages.map(messageOf),
    ...(body.tools && {
      tools: body.tools.map(({ function: tool }) => ({ ...tool, parameters: tool.parameters ?? { type: 'object', properties: {} } })),
    }),
    ...(choice && { toolChoice: typeof choice === 'string' ? choice : { name: choice.function.name } }),
    ...(body.temperature !== undefined && { temperature: body.temperature }),
    ...(body.top_p !== undefined && { topP: body.top_p }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(body.stop !== undefined && { stop: typeof body.stop === 'string' ? [body.stop] : body.stop }),
    ...(body.seed !== undefined && { seed: body.seed }),
  };
}

function messageOf(message: z.infer<typeof Message>): ChatMessage {
  switch (message.role) {
    case 'developer':
      return { role: 'system', content: message.content };
    case 'tool':
      return { role: 'tool', content: message.content, toolCallId: message.tool_call_id };
    case 'assistant': {
      const calls = (message.tool_calls ?? []).map((call) => ({ id: call.id, ...call.function }));
      const content = message.content ?? message.refusal ?? '';
      return { role: 'assistant', content, ...(calls.length > 0 && { toolCalls: calls }) };
    }
    default:
      return { role: message.role, content: message.content };
  }
}

const refuse = (message: string): ParseResult => ({ ok: false, fault: fault('policy', 400, message) });

/** The first problems of a request, each with its place. */
export const issueText = (error: z.ZodError): string =>
  error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
    .join('; ');
