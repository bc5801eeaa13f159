import { createServer, type IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { ChatMessage } from '../../contracts/chat.ts';
import { Json } from '../../contracts/json.ts';
import { honestJudge } from '../../gateway/providers/simulated/judge-honest.ts';

/**
 * A model on loopback that answers at once, in the words of OpenAI's chat completions, streamed or whole. Both tools of
 * `bench/grading-peer.ts` ask this one process, so its own work is in neither one's figures. Prints its address.
 */
const Ask = z.object({
  model: z.string(),
  stream: z.boolean().optional(),
  messages: z.array(z.object({ role: z.string(), content: z.union([z.string(), z.array(z.unknown())]).nullish() })),
  tools: z.array(z.object({ function: z.object({ name: z.string(), parameters: z.record(z.string(), Json) }) })).optional(),
});
type Ask = z.infer<typeof Ask>;

interface Said {
  text: string;
  tool: { name: string; arguments: string } | null;
}

const server = createServer(async (request, response) => {
  const ask = Ask.parse(JSON.parse(await textOf(request)));
  const said = answerTo(ask);
  response.setHeader('content-type', ask.stream === true ? 'text/event-stream' : 'application/json');
  response.end(ask.stream === true ? streamed(ask.model, said) : whole(ask.model, said));
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}/v1\n`);
});
process.on('SIGTERM', () => process.exit(0));

function answerTo(ask: Ask): Said {
  const messages = ask.messages.map(({ role, content }): ChatMessage => {
    const text = typeof content === 'string' ? content : JSON.stringify(content ?? '');
    return { role: role === 'system' ? 'system' : 'user', content: text };
  });
  const tool = ask.tools?.[0]?.function;
  if (tool !== undefined) return { text: '', tool: { name: tool.name, arguments: verdict(messages, tool) } };
  const text = messages.map(({ content }) => content).join('\n');
  // The peer's judge asks for JSON in prose and names these fields.
  if (text.includes('"pass"') && text.includes('"score"'))
    return { text: '{"reason":"it names the word","pass":true,"score":1}', tool: null };
  const question = /question (\d+)/.exec(text)?.[1] ?? '0';
  return { text: `The quick brown fox jumps over the lazy dog. The answer to question ${question} is word${question}.`, tool: null };
}

/** What an honest judge replies: the nonce it was given and a quote from the text it was shown. */
function verdict(messages: ChatMessage[], tool: { name: string; parameters: Record<string, Json> }): string {
  const world = { cases: [], secretsOf: () => ({}), seed: '', text: () => '' };
  const ref = { caseId: '', split: 'public', trial: 0 } as const;
  const request = { target: 'mock', messages, tools: [tool], maxOutputTokens: 1_000 };
  const reply = honestJudge(request, { world, ref, settings: { yesIfAny: ['is word'] } });
  return reply.toolCalls?.[0]?.arguments ?? '{}';
}

const usage = { prompt_tokens: 50, completion_tokens: 25, total_tokens: 75 };

function whole(model: string, { text, tool }: Said): string {
  const calls = tool && [{ id: 'call_0', type: 'function', function: tool }];
  const message = { role: 'assistant', content: tool ? null : text, ...(calls ? { tool_calls: calls } : {}) };
  const choices = [{ index: 0, message, finish_reason: tool ? 'tool_calls' : 'stop' }];
  return JSON.stringify({ id: 'chat-0', object: 'chat.completion', created: 0, model, choices, usage });
}

function streamed(model: string, { text, tool }: Said): string {
  const chunk = (delta: object, finish: string | null, more: object = {}) =>
    `data: ${JSON.stringify({ id: 'chat-0', object: 'chat.completion.chunk', created: 0, model, choices: [{ index: 0, delta, finish_reason: finish }], ...more })}\n\n`;
  const delta = tool ? { tool_calls: [{ index: 0, id: 'call_0', type: 'function', function: tool }] } : { content: text };
  return `${chunk({ role: 'assistant', ...delta }, null)}${chunk({}, tool ? 'tool_calls' : 'stop', { usage })}data: [DONE]\n\n`;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
