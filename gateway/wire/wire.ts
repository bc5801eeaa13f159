import type { ChatFault, ChatReply, ChatRequest } from '../../contracts/chat.ts';
import type { Json } from '../../contracts/json.ts';
import type { TargetSpec } from '../../contracts/target.ts';
import type { ChatEvent } from '../providers/provider.ts';

export interface WireRequest {
  request: ChatRequest;
  stream: boolean;
  /** OpenAI's `stream_options.include_usage`. */
  includeUsage: boolean;
}

export type ParseResult = { ok: true; parsed: WireRequest } | { ok: false; fault: ChatFault };

/** Writes one streamed reply; every method returns the text to send. */
export interface ReplyStream {
  event(event: ChatEvent): string;
  end(reply: ChatReply): string;
  /** Tells the client that what it received is not whole. */
  fault(fault: ChatFault): string;
}

/** One provider's way of speaking. */
export interface Wire {
  parse(body: Json): ParseResult;
  reply(reply: ChatReply): Json;
  stream(model: string, id: string, includeUsage: boolean): ReplyStream;
  error(fault: ChatFault): Json;
  models(targets: readonly TargetSpec[]): Json;
  model(target: TargetSpec): Json;
}

/** One server-sent event; OpenAI's have no name. */
export const sse = (name: string | null, data: Json): string =>
  `${name === null ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;

/** Parts of one message's content are joined by a line break: the inner language has one text per message. */
export const joinParts = (parts: readonly string[]): string => parts.join('\n');
