import { ProviderFault } from './provider.ts';

/** What the SDKs of both providers tell about a failed request. */
export interface HttpFailure {
  /** Undefined when the connection failed or the failure came inside a stream. */
  status: number | undefined;
  /** The provider's own code or type of error. */
  code: string | null;
  message: string;
  headers: { get(name: string): string | null } | undefined;
}

const overflowWords =
  /maximum context length|context[ _-]?length|context window|context size|prompt is too long|exceeds? the context|input length and `?max_tokens/i;
const overflowCodes = new Set(['context_length_exceeded', 'request_too_large', 'exceed_context_size_error']);
const filterCodes = new Set(['content_filter', 'content_policy_violation', 'invalid_prompt', 'ResponsibleAIPolicyViolation']);
/** Failures inside an event stream that say it is the server, not the request. */
const retryableCodes = new Set([
  'overloaded_error',
  'api_error',
  'rate_limit_error',
  'timeout_error',
  'server_error',
  'rate_limit_exceeded',
]);
/** Slow down: too many requests, no capacity now, overloaded. */
const tooMuchStatuses = new Set([429, 503, 529]);
const tooMuchCodes = new Set(['overloaded_error', 'rate_limit_error', 'rate_limit_exceeded']);
const retryableStatuses = new Set([408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529]);

/**
 * Decides whose fault a failed request is. `content-filter` means the provider's own filter refused: behaviour of the
 * target, graded like a refusal. The provider's text is passed on only where it is about the request: texts of 401
 * and 403 repeat parts of keys, those of 429 name the organization.
 */
export function faultOfHttp(provider: string, failure: HttpFailure): ProviderFault | 'content-filter' {
  const { status, code } = failure;
  if (status === undefined) return faultWithoutStatus(provider, failure);
  if (status === 400 && code !== null && filterCodes.has(code)) return 'content-filter';
  const overflow = (code !== null && overflowCodes.has(code)) || overflowWords.test(failure.message);
  if (status === 413 || (status === 400 && overflow)) {
    return new ProviderFault('overflow', `The conversation is too long for the model: ${publicText(failure.message)}`, { httpStatus: 400 });
  }
  if (status === 400 || status === 422) {
    return new ProviderFault('policy', `${provider} does not accept this request: ${publicText(failure.message)}`, { httpStatus: 400 });
  }
  if (code === 'insufficient_quota' || code === 'billing_error') {
    return new ProviderFault('transport', `The account at ${provider} has no credit left`, { httpStatus: 503 });
  }
  if (retryableStatuses.has(status)) {
    const retryAfterMs = retryAfterOf(failure.headers, Date.now());
    return new ProviderFault('transport', `${provider} answered ${status}`, {
      httpStatus: status === 429 || status === 529 ? 503 : 502,
      retryable: true,
      retryAfterMs,
      tooMuch: tooMuchStatuses.has(status) || retryAfterMs !== undefined,
    });
  }
  return new ProviderFault('transport', `${provider} answered ${status}: its key, model name or address is not configured correctly`, {
    httpStatus: 502,
  });
}

function faultWithoutStatus(provider: string, failure: HttpFailure): ProviderFault | 'content-filter' {
  if (failure.code !== null && filterCodes.has(failure.code)) return 'content-filter';
  if ((failure.code !== null && overflowCodes.has(failure.code)) || overflowWords.test(failure.message)) {
    return new ProviderFault('overflow', `The conversation is too long for the model: ${publicText(failure.message)}`, { httpStatus: 400 });
  }
  if (failure.code === 'insufficient_quota') {
    return new ProviderFault('transport', `The account at ${provider} has no credit left`, { httpStatus: 503 });
  }
  if (failure.code === null || retryableCodes.has(failure.code)) {
    return new ProviderFault('transport', `The connection to ${provider} failed: ${failure.code ?? 'no answer'}`, {
      httpStatus: 502,
      retryable: true,
      tooMuch: failure.code !== null && tooMuchCodes.has(failure.code),
    });
  }
  return new ProviderFault('transport', `${provider} broke off with "${publicText(failure.code)}"`, { httpStatus: 502, retryable: true });
}

export const malformed = (provider: string, what: string): ProviderFault =>
  new ProviderFault('transport', `${provider} sent a malformed reply: ${what}`, { httpStatus: 502, retryable: true });

/** A provider's message, short and without anything that looks like a key or an organization. */
const publicText = (text: string): string =>
  text
    .replace(/\b(sk|org|proj|key)-[A-Za-z0-9_*.-]+/g, '$1-…')
    .replace(/\s+/g, ' ')
    .slice(0, 400);

/** Milliseconds from `retry-after-ms` or `Retry-After` (seconds or an HTTP date, RFC 9110 10.2.3). */
export function retryAfterOf(headers: HttpFailure['headers'], nowMs: number): number | undefined {
  const inMs = headers?.get('retry-after-ms');
  if (inMs && /^\d{1,9}(\.\d+)?$/.test(inMs)) return Math.ceil(Number(inMs));
  const value = headers?.get('retry-after');
  if (!value) return undefined;
  if (/^\d{1,6}(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
