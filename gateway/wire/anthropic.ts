import { z } from 'zod';
import { type ChatMessage, ChatRequest, type ToolCall } from '../../contracts/chat.ts';
import { Json } from '../../contracts/json.ts';
import { fault, type ParameterRules, refusedParameter, withoutNulls } from '../policy.ts';
import { issueText } from './openai.ts';
import { joinParts, type ParseResult } from './wire.ts';

const media = 'images, documents and files would be fetched or stored by the provider, outside the sandbox';
const remote = 'tools and servers at the provider would reach the network for the submission';
const plain = 'targets are asked with temperature and top_p only';

/** Every parameter of `POST /v1/messages`. */
const anthropicParameters: ParameterRules = {
  model: 'pass',
  messages: 'pass',
  max_tokens: 'pass',
  system: 'pass',
  temperature: 'pass',
  top_p: 'pass',
  stop_sequences: 'pass',
  stream: 'pass',
  tools: 'pass',
  tool_choice: 'pass',
  metadata: 'ignore',
  service_tier: 'ignore',
  cache_control: 'ignore',
  thinking: { only: [{ type: 'disabled' }], because: plain },
  speed: { only: ['standard'], because: plain },
  top_k: { refuse: plain },
  output_config: { refuse: 'ask for JSON through a tool' },
  output_format: { refuse: 'ask for JSON through a tool' },
  mcp_servers: { refuse: remote },
  container: { refuse: remote },
  context_management: { refuse: 'the conversation is sent as it is' },
  inference_geo: { refuse: 'where a target runs is the operator’s choice' },
  diagnostics: { refuse: plain },
  user_profile_id: { refuse: 'nothing is stored at a provider' },
  workspace_id: { refuse: 'nothing is stored at a provider' },
};

const blockMessage = (type: unknown): string => `content of type ${JSON.stringify(type)} is not available here: ${media}`;
const Text = z.object({ type: z.literal('text'), text: z.string() });
const textOnly = (issue: { input?: unknown }): string => blocksMessage(issue.input, ['text']);
const Texts = z.union(
  [
    z.string(),
    z
      .array(Text)
      .max(1000)
      .transform((blocks) => joinParts(blocks.map((block) => block.text))),
  ],
  {
    error: textOnly,
  },
);

/** Names the block that is not accepted instead of saying that no branch of a union fits. */
function blocksMessage(input: unknown, known: readonly string[]): string {
  const blocks = Array.isArray(input) ? (input as { type?: unknown }[]) : [];
  const wrong = blocks.find((block) => !known.includes(String(block?.type)));
  return wrong ? blockMessage(wrong.type) : `expected text or a list of blocks of type ${known.join(', ')}`;
}

const UserBlock = z.discriminatedUnion(
  'type',
  [Text, z.object({ type: z.literal('tool_result'), tool_use_id: z.string(), content: Texts.optional(), is_error: z.boolean().nullish() })],
  { error: (issue) => blocksMessage([issue.input], ['text', 'tool_result']) },
);
const AssistantBlock = z.discriminatedUnion(
  'type',
  [Text, z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.record(z.string(), Json) })],
  { error: (issue) => blocksMessage([issue.input], ['text', 'tool_use']) },
);

const Message = z.discriminatedUnion('role', [
  z.object({ role: z.literal('system'), content: Texts }),
  z.object({ role: z.literal('user'), content: z.preprocess(asBlocks, z.array(UserBlock).max(1000)) }),
  z.object({ role: z.literal('assistant'), content: z.preprocess(asBlocks, z.array(AssistantBlock).max(1000)) }),
]);

function asBlocks(content: unknown): unknown {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

const Body = z.object({
  model: z.string().max(200),
  messages: z.array(Message),
  max_tokens: z.number().int().positive(),
  system: Texts.optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  stop_sequences: z.array(z.string()).optional(),
  stream: z.boolean().default(false),
  tools: z
    .array(
      z.object({
        type: z.literal('custom', { error: `only custom tools are available: ${remote}` }).nullish(),
        name: z.string(),
        description: z.string().optional(),
        input_schema: z.record(z.string(), Json),
      }),
    )
    .optional(),
  tool_choice: z
    .object({
      type: z.enum(['auto', 'any', 'none', 'tool']),
      name: z.string().optional(),
      disable_parallel_tool_use: z.literal(false, { error: 'it cannot be switched off on every target' }).optional(),
    })
    .optional(),
});
type Body = z.infer<typeof Body>;

/** Reads the body of `POST /v1/messages`; every refusal names the place and the reason. */
export function parseAnthropic(body: Json): ParseResult {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return refuse('the body must be a JSON object');
  const refused = refusedParameter(body, anthropicParameters);
  if (refused) return refuse(refused.message);
  const parsed = Body.safeParse(withoutNulls(body));
  if (!parsed.success) return refuse(issueText(parsed.error));
  const choice = parsed.data.tool_choice;
  if (choice?.type === 'tool' && choice.name === undefined) return refuse('tool_choice.name: is missing');
  const request = ChatRequest.safeParse(requestOf(parsed.data));
  if (!request.success) return refuse(issueText(request.error));
  return { ok: true, parsed: { request: request.data, stream: parsed.data.stream, includeUsage: true } };
}

function requestOf(body: Body): z.input<typeof ChatRequest> {
  const system: ChatMessage[] = body.system === undefined ? [] : [{ role: 'system', content: body.system }];
  return {
    target: body.model,
    messages: [...system, ...body.messages.flatMap(messagesOf)],
    maxOutputTokens: body.max_tokens,
    ...(body.tools && {
      tools: body.tools.map((tool) => ({
        name: tool.name,
        parameters: tool.input_schema,
        ...(tool.description !== undefined && { description: tool.description }),
      })),
    }),
    ...(body.tool_choice && { toolChoice: choiceOf(body.tool_choice) }),
    ...(body.temperature !== undefined && { temperature: body.temperature }),
    ...(body.top_p !== undefined && { topP: body.top_p }),
    ...(body.stop_sequences !== undefined && { stop: body.stop_sequences }),
  };
}

function choiceOf(choice: NonNullable<Body['tool_choice']>): NonNullable<ChatRequest['toolChoice']> {
  if (choice.type === 'tool') return { name: choice.name ?? '' };
  return choice.type === 'any' ? 'required' : choice.type;
}

/** A user's message may hold results of tools and words of the user; the results come first, as the models expect. */
function messagesOf(message: z.infer<typeof Message>): ChatMessage[] {
  if (message.role === 'system') return [message];
  if (message.role === 'assistant') {
    const calls: ToolCall[] = [];
    const texts: string[] = [];
    for (const block of message.content) {
      if (block.type === 'text') texts.push(block.text);
      else calls.push({ id: block.id, name: block.name, arguments: JSON.stringify(block.input) });
    }
    return [{ role: 'assistant', content: joinParts(texts), ...(calls.length > 0 && { toolCalls: calls }) }];
  }
  const out: ChatMessage[] = [];
  const texts: string[] = [];
  for (const block of message.content) {
    if (block.type === 'text') texts.push(block.text);
    // The inner language has no flag for a failed tool; the model reads it in the text.
    else out.push({ role: 'tool', content: `${block.is_error ? 'Error: ' : ''}${block.content ?? ''}`, toolCallId: block.tool_use_id });
  }
  if (texts.length > 0 || out.length === 0) out.push({ role: 'user', content: joinParts(texts) });
  return out;
}

const refuse = (message: string): ParseResult => ({ ok: false, fault: fault('policy', 400, message) });
