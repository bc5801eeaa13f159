import { chmod } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { ChatMessage, type ChatRequest, type ChatResult } from '../contracts/chat.ts';
import type { ModelDoor } from '../contracts/sandbox.ts';

export interface FakeDoor extends ModelDoor {
  /** Every request that came in, in order. */
  readonly requests: ChatRequest[];
  /** Most calls that were open at the same time. */
  mostOpen(): number;
  /** Calls whose signal was aborted before they ended. */
  aborted(): number;
}

type Answering = (request: ChatRequest, signal: AbortSignal) => ChatResult | Promise<ChatResult>;

/** A reply with this text, as a provider would give it. */
export function replyOf(request: ChatRequest, content: string): ChatResult {
  const tokens = { inputTokens: 1, outputTokens: 1, estimated: false };
  const reply = { id: 'fake-1', content, toolCalls: [], stopReason: 'stop' as const, tokens };
  return { ok: true, reply: { ...reply, requestedModel: request.target, returnedModel: request.target, fingerprint: null } };
}

const echo: Answering = (request) => replyOf(request, `${request.target} heard: ${request.messages.at(-1)?.content}`);

/** Gives no reply until its signal is aborted. */
export const silent: Answering = (_request, signal) =>
  new Promise((resolve) => {
    const end = () => resolve({ ok: false, fault: { kind: 'aborted', message: 'the call was stopped', httpStatus: 499 } });
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });

/**
 * An in-memory model door for driver tests: echoes the last message, or answers as told. `listen` serves the same
 * answers in the OpenAI wire format, the part of it that a sandbox's `target.chat` uses.
 */
export function fakeDoor(answering: Answering = echo): FakeDoor {
  const requests: ChatRequest[] = [];
  let open = 0;
  let most = 0;
  let aborted = 0;
  const chat: ModelDoor['chat'] = async (request, signal) => {
    requests.push(request);
    open += 1;
    most = Math.max(most, open);
    try {
      return await answering(request, signal);
    } finally {
      open -= 1;
      if (signal.aborted) aborted += 1;
    }
  };
  return { requests, chat, listen: (path) => serve(path, chat), mostOpen: () => most, aborted: () => aborted };
}

const WireRequest = z.object({
  model: z.string(),
  messages: z.array(ChatMessage).min(1),
  temperature: z.number().optional(),
  max_tokens: z.number().int().optional(),
  max_completion_tokens: z.number().int().optional(),
});

async function serve(path: string, chat: ModelDoor['chat']): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    answer(request, response, chat).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  // The program runs as another user than the worker; what keeps others off is the directory above the socket.
  await chmod(path, 0o666);
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, chat: ModelDoor['chat']): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > 1_048_576) return send(response, 413, { error: { message: 'too large', type: 'overflow' } });
  }
  if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
    return send(response, 404, { error: { message: `nothing at ${request.method} ${request.url}`, type: 'policy' } });
  }
  const wire = WireRequest.parse(JSON.parse(body));
  const maxOutputTokens = wire.max_completion_tokens ?? wire.max_tokens;
  const result = await chat(
    {
      target: wire.model,
      messages: wire.messages,
      ...(wire.temperature === undefined ? {} : { temperature: wire.temperature }),
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    },
    gone.signal,
  );
  if (!result.ok) return send(response, result.fault.httpStatus, { error: { message: result.fault.message, type: result.fault.kind } });
  const message = { role: 'assistant', content: result.reply.content };
  send(response, 200, {
    id: result.reply.id,
    object: 'chat.completion',
    created: 0,
    model: result.reply.returnedModel,
    choices: [{ index: 0, message, finish_reason: result.reply.stopReason }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
