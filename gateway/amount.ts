import type { Amount, Price } from '../contracts/target.ts';

export const noAmount: Readonly<Amount> = Object.freeze({ calls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0n });

export const plus = (a: Amount, b: Amount): Amount => ({
  calls: a.calls + b.calls,
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  costMicros: a.costMicros + b.costMicros,
});

export const minus = (a: Amount, b: Amount): Amount => ({
  calls: a.calls - b.calls,
  inputTokens: a.inputTokens - b.inputTokens,
  outputTokens: a.outputTokens - b.outputTokens,
  costMicros: a.costMicros - b.costMicros,
});

/** Each dimension, but never below zero. */
export const atLeastNothing = (a: Amount): Amount => ({
  calls: Math.max(0, a.calls),
  inputTokens: Math.max(0, a.inputTokens),
  outputTokens: Math.max(0, a.outputTokens),
  costMicros: a.costMicros > 0n ? a.costMicros : 0n,
});

export const smallerOf = (a: Amount, b: Amount): Amount => ({
  calls: Math.min(a.calls, b.calls),
  inputTokens: Math.min(a.inputTokens, b.inputTokens),
  outputTokens: Math.min(a.outputTokens, b.outputTokens),
  costMicros: smallerCost(a.costMicros, b.costMicros),
});

export const isNothing = (a: Amount): boolean => a.calls === 0 && a.inputTokens === 0 && a.outputTokens === 0 && a.costMicros === 0n;

export const covers = (have: Amount, need: Amount): boolean =>
  have.calls >= need.calls &&
  have.inputTokens >= need.inputTokens &&
  have.outputTokens >= need.outputTokens &&
  have.costMicros >= need.costMicros;

function smallerCost(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

/** Tokens of one call to micro-units of USD, rounded up so that a sum of calls is never cheaper than its parts. */
export function costOf(price: Price | undefined, inputTokens: number, outputTokens: number): bigint {
  if (price === undefined) return 0n;
  const millionths =
    BigInt(inputTokens) * BigInt(price.inputMicrosPerMillion) + BigInt(outputTokens) * BigInt(price.outputMicrosPerMillion);
  return (millionths + 999_999n) / 1_000_000n;
}

/** The most output tokens that `costMicros` still pays for after `inputTokens`; negative when not even the input is paid. */
export function affordableOutput(price: Price | undefined, inputTokens: number, costMicros: bigint): number {
  if (price === undefined) return Number.MAX_SAFE_INTEGER;
  const left = costMicros * 1_000_000n - BigInt(inputTokens) * BigInt(price.inputMicrosPerMillion);
  if (left < 0n) return -1;
  if (price.outputMicrosPerMillion === 0) return Number.MAX_SAFE_INTEGER;
  const tokens = left / BigInt(price.outputMicrosPerMillion);
  return tokens > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(tokens);
}
