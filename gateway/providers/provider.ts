import type { ChatRequest, StopReason, TokenCount } from '../../contracts/chat.ts';
import type { ProviderName, TargetSpec } from '../../contracts/target.ts';
import type { CaseRef, SimulatedWorld } from '../session.ts';

/**
 * What a provider says while it answers. Exactly one `end` comes last; a stream without it was cut. A tool's
 * `tool-start` comes before its first `tool-arguments`; `index` tells the tools of one reply apart.
 */
export type ChatEvent =
  | { type: 'text'; text: string }
  | { type: 'tool-start'; index: number; id: string; name: string }
  | { type: 'tool-arguments'; index: number; text: string }
  | { type: 'end'; stopReason: StopReason; tokens: TokenCount | null; returnedModel: string; fingerprint: string | null };

export type ProviderRequest = ChatRequest & { maxOutputTokens: number };

/** Is exactly one tool to be called, by a schema that the provider has to keep to? */
export function isForcedStrict({ tools, toolChoice }: ProviderRequest): boolean {
  if (typeof toolChoice !== 'object') return false;
  return tools?.find((tool) => tool.name === toolChoice.name)?.strict === true;
}

export interface ProviderContext {
  /** Which case is asking: a simulated model plays in its world. */
  ref: CaseRef;
  world: SimulatedWorld;
}

/**
 * Why a provider gave no reply. `transport` is the platform's or the provider's and is retried when `retryable`;
 * `overflow` (the conversation is too long for the model) and `policy` (the request is unacceptable) are the caller's.
 */
export class ProviderFault extends Error {
  readonly kind: 'transport' | 'overflow' | 'policy';
  readonly httpStatus: number;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** The provider says that it is asked too much: all calls of this model slow down. */
  readonly tooMuch: boolean;

  constructor(
    kind: 'transport' | 'overflow' | 'policy',
    message: string,
    details: { httpStatus: number; retryable?: boolean; retryAfterMs?: number | undefined; tooMuch?: boolean },
  ) {
    super(message);
    this.name = 'ProviderFault';
    this.kind = kind;
    this.httpStatus = details.httpStatus;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs;
    this.tooMuch = details.tooMuch ?? details.retryAfterMs !== undefined;
  }
}

export interface Provider {
  /** Where it asks, for keys of kept replies: the same request elsewhere is another one. Absent for what is never kept. */
  readonly address?: string;
  /** Why `target` cannot be served, in words for whoever configures it; null when it can. */
  check(target: TargetSpec, world: SimulatedWorld): string | null;
  /** One try, streamed. Throws only `ProviderFault`; stops when `signal` aborts. */
  stream(request: ProviderRequest, target: TargetSpec, context: ProviderContext, signal: AbortSignal): AsyncIterable<ChatEvent>;
}

/** Where the two services are when no base URL is configured. */
export const officialUrls = { openai: 'https://api.openai.com/v1', anthropic: 'https://api.anthropic.com' } as const;

export type Providers = Readonly<Record<ProviderName, Provider>>;
