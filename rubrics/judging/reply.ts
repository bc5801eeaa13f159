import { z } from 'zod';
import type { ChatReply } from '../../contracts/chat.ts';
import type { Json } from '../../contracts/json.ts';
import { parseText } from '../graders/json-text.ts';

const bounds = { maxBytes: 65_536, maxDepth: 6, maxValues: 400 } as const;
const Fields = z.looseObject({ nonce: z.string() });

/**
 * The fields of a judge's reply without its nonce, or why it is none. Only the arguments of exactly one call of the tool
 * that was offered count; text beside it is never read. Promptfoo's default judge takes the first JSON object of a text
 * and so passes a reply that quotes the attacker's; here there is nothing to search in. Problems hold no words of the
 * reply: they are shown to people who may not read it.
 */
export function fieldsOf(reply: ChatReply, tool: string, nonce: string): { ok: true; fields: Json } | { ok: false; problem: string } {
  if (reply.stopReason !== 'tool_calls' && reply.stopReason !== 'stop') return { ok: false, problem: `ended with "${reply.stopReason}"` };
  const [call, ...more] = reply.toolCalls;
  if (!call) return { ok: false, problem: 'calls no tool' };
  if (more.length > 0) return { ok: false, problem: `calls ${reply.toolCalls.length} tools where one is asked for` };
  if (call.name !== tool) return { ok: false, problem: `calls another tool than "${tool}"` };
  const parsed = parseText(call.arguments, bounds);
  if (!parsed.ok) return { ok: false, problem: 'has arguments that are not one JSON object within bounds' };
  if (membersIn(call.arguments) !== membersOf(parsed.value)) return { ok: false, problem: 'says one thing twice' };
  const read = Fields.safeParse(parsed.value);
  if (!read.success) return { ok: false, problem: 'does not fit the form at "nonce"' };
  const { nonce: given, ...fields } = read.data;
  if (given !== nonce) return { ok: false, problem: "does not hold this call's nonce" };
  return { ok: true, fields: fields as Json };
}

/** Members that a JSON text writes, told by the colon behind a string. */
const membersIn = (text: string): number =>
  [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon !== undefined).length;

/** Members that a JSON value has. Fewer than its text writes where a name is there twice, of which a parser keeps the last. */
function membersOf(value: Json): number {
  if (value === null || typeof value !== 'object') return 0;
  const inner = Object.values(value).reduce<number>((sum, part) => sum + membersOf(part), 0);
  return Array.isArray(value) ? inner : inner + Object.keys(value).length;
}
