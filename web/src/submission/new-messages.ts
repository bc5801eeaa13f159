import type { ChatMessage, Exchange } from '../../../contracts/chat.ts';

type Call = Pick<Exchange, 'request'>;

/** Divides the messages of a call into those the call before already had at the same place, and the new ones. */
export function newMessages(before: Call | undefined, call: Call): { repeated: ChatMessage[]; fresh: ChatMessage[] } {
  const earlier = before?.request.messages ?? [];
  const messages = call.request.messages;
  let same = 0;
  while (same < messages.length - 1 && same < earlier.length && JSON.stringify(messages[same]) === JSON.stringify(earlier[same])) same++;
  return { repeated: messages.slice(0, same), fresh: messages.slice(same) };
}
