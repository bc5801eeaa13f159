import { type AttemptLimits, type AttemptResult, runAttempt } from './attempt.ts';
import type { Pace, PaceSign } from './pace.ts';
import { type ChatEvent, ProviderFault } from './providers/provider.ts';

export interface RetryPolicy {
  tries: number;
  firstDelayMs: number;
  /** Upper bound of the wait before one try, whatever `Retry-After` says. */
  longestDelayMs: number;
}

export const defaultRetry: RetryPolicy = { tries: 3, firstDelayMs: 500, longestDelayMs: 20_000 };

export interface RetryTools {
  policy: RetryPolicy;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  delay(ms: number, signal: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
}

/**
 * Tries until a reply is whole. Only transport faults are retried, and their retries are free for the participant. Once
 * a streaming caller has seen a part of a reply there is no other try: a second reply would not continue the first.
 * `streaming` is null for a caller who waits for the whole reply. `onTry` brackets the time in which a provider is busy.
 * Every try waits for its turn at the model's `pace`; null for models that have none.
 */
export async function runWithRetries(
  open: (signal: AbortSignal) => AsyncIterable<ChatEvent>,
  streaming: ((event: ChatEvent) => void) | null,
  tools: RetryTools & { limits: AttemptLimits; pace: Pace | null; onTry(busy: boolean): void },
  signal: AbortSignal,
): Promise<AttemptResult> {
  for (let attempt = 1; ; attempt++) {
    const permit = tools.pace === null ? null : await tools.pace.enter(signal);
    if (tools.pace !== null && permit === null) return gaveUp;
    tools.onTry(true);
    const result = await runAttempt(open, streaming ?? (() => {}), tools.limits, signal);
    permit?.leave(signOf(result));
    const shown = streaming !== null && !result.ok && result.received;
    if (result.ok || !result.fault.retryable || shown || attempt >= tools.policy.tries || signal.aborted) return result;
    tools.onTry(false);
    await tools.delay(waitBefore(attempt, result.fault, tools), signal);
    if (signal.aborted) return result;
  }
}

/** Exponential from the first delay, half of it jitter so that parallel calls do not return together. */
function waitBefore(attempt: number, fault: ProviderFault, tools: RetryTools): number {
  const { firstDelayMs, longestDelayMs } = tools.policy;
  const backoff = firstDelayMs * 2 ** (attempt - 1) * (0.5 + tools.random() / 2);
  return Math.min(longestDelayMs, Math.max(backoff, fault.retryAfterMs ?? 0));
}

const gaveUp: AttemptResult = {
  ok: false,
  fault: new ProviderFault('transport', 'The call was given up', { httpStatus: 499 }),
  received: false,
};

const signOf = (result: AttemptResult): PaceSign => {
  if (result.ok) return { kind: 'fine' };
  return result.fault.tooMuch ? { kind: 'too-much', retryAfterMs: result.fault.retryAfterMs } : { kind: 'unknown' };
};
