import type { ChatFault, ChatRequest } from '../contracts/chat.ts';
import type { Json } from '../contracts/json.ts';
import type { TargetSpec } from '../contracts/target.ts';
import type { Dimension } from './meter.ts';

/**
 * What a submission may ask for. A door to a model is also a door to whatever the provider does on its behalf: tools
 * that run at the provider (web search, code, MCP servers), media it fetches from an address, files it stores. Through
 * any of them a submission would reach the network that its sandbox does not have, or keep state between evaluations.
 * So both wires list every parameter they know, and what is not listed is refused by name.
 */
export type ParameterRule =
  /** Translated into the request. */
  | 'pass'
  /** Accepted and dropped: it changes nothing about the answer. */
  | 'ignore'
  /** Accepted with one of these values only, which mean the same as its absence. */
  | { only: readonly Json[]; because: string }
  | { refuse: string };

export type ParameterRules = Readonly<Record<string, ParameterRule>>;

/** The first parameter of `body` that the rules do not accept, said so that its sender can mend it; null when all are. */
export function refusedParameter(body: Readonly<Record<string, Json>>, rules: ParameterRules): { name: string; message: string } | null {
  for (const [name, value] of Object.entries(body)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) return { name, message: `"${name}" is not a parameter of this gateway` };
    if (value === null || rule === 'pass' || rule === 'ignore') continue;
    if ('refuse' in rule) return { name, message: `"${name}" is not available here: ${rule.refuse}` };
    if (!rule.only.some((allowed) => JSON.stringify(allowed) === JSON.stringify(value))) {
      return { name, message: `"${name}" can only be ${rule.only.map((v) => JSON.stringify(v)).join(' or ')} here: ${rule.because}` };
    }
  }
  return null;
}

/** Drops parameters that are null, which both wires read as absent. */
export const withoutNulls = (body: Readonly<Record<string, Json>>): Record<string, Json> =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));

export const targetNamed = (targets: readonly TargetSpec[], name: string): TargetSpec | undefined =>
  targets.find((target) => target.name === name);

export const fault = (kind: ChatFault['kind'], httpStatus: number, message: string, retryAfterMs?: number): ChatFault => ({
  kind,
  httpStatus,
  message: message.slice(0, 2000),
  ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.ceil(retryAfterMs) }),
});

export const unknownTarget = (name: string, targets: readonly TargetSpec[]): ChatFault =>
  fault('policy', 404, `There is no model "${name.slice(0, 100)}" here; there ${targets.length === 0 ? 'is none' : allowed(targets)}`);

const allowed = (targets: readonly TargetSpec[]): string => `are: ${targets.map((target) => target.name).join(', ')}`;

/** 429, as both providers answer when an account has nothing left; the header against the SDKs' retries goes with it. */
export const overBudget = (short: Dimension, purse: 'budget' | 'judging'): ChatFault =>
  fault(
    'budget',
    429,
    purse === 'budget'
      ? `The budget of this evaluation does not cover another call: ${short} would run out`
      : `The rubric's "judging" budget does not cover another call of a judge: ${short} would run out; the sponsor has to raise it`,
  );

export const overCallsPerCase = (limit: number): ChatFault =>
  fault('budget', 429, `A case may make ${limit} calls and this one has made them`);

/** Size of what a request may hold beyond its schema, for callers that did not come over the wire. */
export function oversize(request: ChatRequest, bytes: number): ChatFault | null {
  if (bytes <= wireBounds.maxBytes) return null;
  return fault('policy', 413, `The request of ${request.messages.length} messages is larger than ${wireBounds.maxBytes} bytes`);
}

/**
 * Bounds of one request on the wire. Bytes alone do not bound the work: 2 MB of `{},{},…` for messages cost the schemas
 * 4 to 6 seconds, in which no lease is renewed, and a gigabyte of complaints. 2,000 messages and 128 tools need far less.
 */
export const wireBounds = { maxBytes: 2 * 1024 * 1024, maxDepth: 64, maxValues: 20_000 } as const;
