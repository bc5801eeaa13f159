import { hash } from 'node:crypto';
import { canonicalJson } from '../contracts/canonical.ts';
import { type ChatReply, type ChatRequest, ChatReply as ReplySchema, type ReplyCache } from '../contracts/chat.ts';
import type { TargetSpec } from '../contracts/target.ts';

/** Largest reply that is kept, as canonical JSON: judges answer in hundreds of bytes. */
export const mostReplyBytes = 262_144;

/**
 * Names a request by everything that decides its reply: which model where, its settings, and the whole request with the
 * target's own temperature and limit where the request names none. SHA-256 of canonical JSON, hexadecimal. The judge's
 * name is left out, because a rubric can give any name to the same model.
 *
 * A broken reply is kept like a good one, which does not make a retry hopeless: the judge protocol asks again with a
 * fresh nonce, hence under another key, and a case that ends in an `error` gives all its keys back (`forgetReplies`).
 */
export function keyOfReply(request: ChatRequest, target: TargetSpec, address: string): string {
  const { target: _name, ...rest } = request;
  const asked = {
    ...rest,
    temperature: request.temperature ?? target.temperature,
    maxOutputTokens: Math.min(request.maxOutputTokens ?? target.maxOutputTokens, target.maxOutputTokens),
  };
  const { provider, model, settings } = target;
  return hash('sha256', canonicalJson({ provider, address, model, settings, request: asked }), 'hex');
}

/** A reply as text to be kept; null when it is too large. */
export function textOfReply(reply: ChatReply): string | null {
  const text = canonicalJson(reply);
  return Buffer.byteLength(text) <= mostReplyBytes ? text : null;
}

/** What was kept, checked like a provider's reply; null when it is none. */
export function replyOf(value: unknown): ChatReply | null {
  const parsed = ReplySchema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

/** Keeps the `most` replies that were used last, as long as the process lives. */
export function memoryReplyCache(most = 10_000): ReplyCache {
  // A Map keeps the order of insertion: what is used is moved to the end, what is first was used longest ago.
  const kept = new Map<string, string>();
  return {
    get: async (key) => {
      const text = kept.get(key);
      if (text === undefined) return null;
      kept.delete(key);
      kept.set(key, text);
      return replyOf(JSON.parse(text));
    },
    put: async (key, reply) => {
      const text = textOfReply(reply);
      if (text === null) return;
      kept.delete(key);
      kept.set(key, text);
      for (const oldest of kept.keys()) {
        if (kept.size <= most) break;
        kept.delete(oldest);
      }
    },
    forget: async (keys) => {
      for (const key of keys) kept.delete(key);
    },
  };
}
