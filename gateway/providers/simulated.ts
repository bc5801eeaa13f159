import type { ChatRequest } from '../../contracts/chat.ts';
import type { TargetSpec } from '../../contracts/target.ts';
import { requestBytes } from '../token-bound.ts';
import { type ChatEvent, type Provider, type ProviderContext, ProviderFault, type ProviderRequest } from './provider.ts';
import type { SimulatedReply, WaitingModel } from './simulated/model.ts';

/** A usual rule of thumb for English: four bytes to a token. Deterministic, and below the bound the meter reserves. */
const bytesPerToken = 4;
const tokensPerMessage = 4;
const pieces = 4;

type Models = Readonly<Record<string, WaitingModel>>;

/**
 * Serves the small deterministic programs that behave like a known weakness. Their replies obey `stop` and the output
 * limit and arrive in a few pieces, so that what is built against them meets the same events as with a real model.
 */
export function simulatedProvider(models: Models): Provider {
  return {
    check: (target) =>
      Object.hasOwn(models, target.model)
        ? null
        : `there is no simulated model "${target.model}"; there are ${Object.keys(models).sort().join(', ')}`,
    stream: (request, target, context, signal) => answer(models, request, target, context, signal),
  };
}

async function* answer(
  models: Models,
  request: ProviderRequest,
  target: TargetSpec,
  context: ProviderContext,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const model = Object.hasOwn(models, target.model) ? models[target.model] : undefined;
  if (!model) throw new ProviderFault('transport', `There is no simulated model "${target.model}"`, { httpStatus: 502 });
  const inputTokens = estimateInput(request);
  if (inputTokens > target.contextTokens) {
    throw new ProviderFault(
      'overflow',
      `The conversation has ${inputTokens} tokens; "${target.name}" reads at most ${target.contextTokens}`,
      {
        httpStatus: 400,
      },
    );
  }
  const reply = await model(request, { world: context.world, ref: context.ref, settings: target.settings }, signal);
  yield* eventsOf(reply, request, target, inputTokens);
}

function* eventsOf(reply: SimulatedReply, request: ProviderRequest, target: TargetSpec, inputTokens: number): Generator<ChatEvent> {
  const limit = request.maxOutputTokens * bytesPerToken;
  const stopped = untilStop(reply.text, request.stop ?? []);
  const text = withinBytes(stopped, limit);
  for (const piece of inPieces(text)) yield { type: 'text', text: piece };
  let left = limit - Buffer.byteLength(text);
  let cut = text.length < stopped.length;
  const calls = cut ? [] : (reply.toolCalls ?? []);
  for (const [index, call] of calls.entries()) {
    yield { type: 'tool-start', index, id: `simulated-${index}`, name: call.name };
    const given = withinBytes(call.arguments, left);
    for (const piece of inPieces(given)) yield { type: 'tool-arguments', index, text: piece };
    left -= Buffer.byteLength(given);
    if (given.length < call.arguments.length) {
      cut = true;
      break;
    }
  }
  const ended = reply.stopReason ?? (calls.length > 0 ? 'tool_calls' : 'stop');
  yield {
    type: 'end',
    stopReason: cut ? 'length' : ended,
    tokens: { inputTokens, outputTokens: Math.ceil((limit - left) / bytesPerToken), estimated: false },
    returnedModel: `simulated/${target.model}`,
    fingerprint: null,
  };
}

const estimateInput = (request: ChatRequest): number =>
  Math.ceil(requestBytes(request) / bytesPerToken) + tokensPerMessage * request.messages.length;

function untilStop(text: string, stops: readonly string[]): string {
  let end = text.length;
  for (const stop of stops) {
    const at = stop === '' ? -1 : text.indexOf(stop);
    if (at >= 0 && at < end) end = at;
  }
  return text.slice(0, end);
}

/** The longest beginning of `text` that has at most `limit` bytes and cuts no character. */
function withinBytes(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  const bytes = Buffer.from(text);
  let end = limit;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString('utf8');
}

function* inPieces(text: string): Generator<string> {
  const characters = [...text];
  const size = Math.max(1, Math.ceil(characters.length / pieces));
  for (let at = 0; at < characters.length; at += size) yield characters.slice(at, at + size).join('');
}
