import type { ChatRequest } from '../../contracts/chat.ts';
import type { TargetSpec } from '../../contracts/target.ts';
import { requestBytes } from '../token-bound.ts';
import { type ChatEvent, type Provider, type ProviderContext, ProviderFault, type ProviderRequest } from './provider.ts';
import type { SimulatedModel } from './simulated/model.ts';

/** A usual rule of thumb for English: four bytes to a token. Deterministic, and below the bound the meter reserves. */
const bytesPerToken = 4;
const tokensPerMessage = 4;
const pieces = 4;

/**
 * Serves the small deterministic programs that behave like a known weakness. Their replies obey `stop` and the output
 * limit and arrive in a few pieces, so that what is built against them meets the same events as with a real model.
 */
export function simulatedProvider(models: Readonly<Record<string, SimulatedModel>>): Provider {
  return {
    check: (target) =>
      Object.hasOwn(models, target.model)
        ? null
        : `there is no simulated model "${target.model}"; there are ${Object.keys(models).sort().join(', ')}`,
    stream: (request, target, context) => answer(models, request, target, context),
  };
}

async function* answer(
  models: Readonly<Record<string, SimulatedModel>>,
  request: ProviderRequest,
  target: TargetSpec,
  context: ProviderContext,
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
  const reply = model(request, { world: context.world, ref: context.ref, settings: target.settings });
  const stopped = untilStop(reply.text, request.stop ?? []);
  const text = withinBytes(stopped, request.maxOutputTokens * bytesPerToken);
  for (const piece of inPieces(text)) yield { type: 'text', text: piece };
  yield {
    type: 'end',
    stopReason: text.length < stopped.length ? 'length' : (reply.stopReason ?? 'stop'),
    tokens: { inputTokens, outputTokens: Math.ceil(Buffer.byteLength(text) / bytesPerToken), estimated: false },
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
