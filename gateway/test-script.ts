import type { StopReason } from '../contracts/chat.ts';
import { TargetSpec } from '../contracts/target.ts';
import type { ChatEvent, Provider, ProviderFault, ProviderRequest } from './providers/provider.ts';

export const scriptedTarget = TargetSpec.parse({
  name: 'scripted',
  provider: 'openai',
  model: 'm',
  price: { inputMicrosPerMillion: 0, outputMicrosPerMillion: 0 },
});
export const end = (stopReason: StopReason): ChatEvent => ({
  type: 'end',
  stopReason,
  tokens: { inputTokens: 11, outputTokens: 5, estimated: false },
  returnedModel: 'm-2026',
  fingerprint: 'fp',
});

export const failing = (fault: ProviderFault): AsyncIterable<ChatEvent> => ({
  [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(fault) }),
});

/** A provider whose reply is what the test says. */
export class Script implements Provider {
  reply: (request: ProviderRequest, signal: AbortSignal) => AsyncIterable<ChatEvent> = async function* () {
    yield end('stop');
  };
  last: ProviderRequest | null = null;
  check(): null {
    return null;
  }
  stream(request: ProviderRequest, _target: TargetSpec, _context: unknown, signal: AbortSignal): AsyncIterable<ChatEvent> {
    this.last = request;
    return this.reply(request, signal);
  }
  say(...events: ChatEvent[]): void {
    this.reply = async function* () {
      yield* events;
    };
  }
}
