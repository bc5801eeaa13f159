import type { ChatMessage, Exchange } from '../../../contracts/chat.ts';
import { SimulatedTag, Tag } from '../components/badges.tsx';
import { formatCost, formatCount, formatDuration } from '../components/format.ts';
import { VisibleText } from '../components/visible-text.tsx';
import { newMessages } from './new-messages.ts';

/** The calls of one case in order, as text nodes only. A conversation repeats itself in every call: only what is new is open. */
export function Transcript({ exchanges }: { exchanges: readonly Exchange[] }) {
  return (
    <ol className="transcript">
      {exchanges.map((exchange, place) => (
        <li key={exchange.index}>
          <ExchangeView exchange={exchange} before={exchanges[place - 1]} />
        </li>
      ))}
    </ol>
  );
}

function ExchangeView({ exchange, before }: { exchange: Exchange; before: Exchange | undefined }) {
  const { request, reply, fault } = exchange;
  const { repeated, fresh } = newMessages(before, exchange);
  return (
    <>
      <p className="muted exchange-head">
        <strong>Call {exchange.index + 1}</strong> to {exchange.target} by the {exchange.askedBy}, {formatDuration(exchange.durationMs)}
        {reply && `, ${formatCount(reply.tokens.inputTokens)} + ${formatCount(reply.tokens.outputTokens)} tokens`}
        {exchange.charged.costMicros !== '0' && `, ${formatCost(exchange.charged.costMicros)}`} {exchange.simulated && <SimulatedTag />}
      </p>
      {repeated.length > 0 && (
        <details>
          <summary>{repeated.length} earlier messages</summary>
          <Messages messages={repeated} />
        </details>
      )}
      <Messages messages={fresh} />
      {request.tools && (
        <p className="muted">
          {request.tools.length} tools offered: {request.tools.map((tool) => tool.name).join(', ')}
        </p>
      )}
      {reply && (
        <Message
          speaker="target"
          text={reply.content}
          note={reply.stopReason === 'stop' ? null : `ended by ${reply.stopReason}`}
          calls={reply.toolCalls}
        />
      )}
      {reply && !exchange.simulated && reply.requestedModel !== reply.returnedModel && (
        <p className="muted">
          asked for <VisibleText text={reply.requestedModel} />, answered by <VisibleText text={reply.returnedModel} />
        </p>
      )}
      {fault && (
        <p className="notice notice-warn">
          No reply ({fault.kind}): <VisibleText text={fault.message} />
        </p>
      )}
    </>
  );
}

/** The messages of one recorded call never change their order: their place is their key. */
const placed = <T,>(list: readonly T[]): [string, T][] => list.map((item, place) => [`message ${place}`, item]);

function Messages({ messages }: { messages: readonly ChatMessage[] }) {
  return placed(messages).map(([place, message]) => (
    <Message
      key={place}
      speaker={message.role}
      text={message.content}
      note={null}
      calls={message.role === 'assistant' ? (message.toolCalls ?? []) : []}
    />
  ));
}

function Message(props: {
  speaker: string;
  text: string;
  note: string | null;
  calls: readonly { id: string; name: string; arguments: string }[];
}) {
  const { speaker, text, note, calls } = props;
  return (
    <div className={`message message-${speaker}`}>
      <p className="message-role">
        {speaker} {note && <Tag tone="warn">{note}</Tag>}
      </p>
      <p className="message-text">{text === '' ? <span className="muted">(empty)</span> : <VisibleText text={text} />}</p>
      {calls.map((call) => (
        <p key={call.id} className="message-text tool-call">
          calls <VisibleText text={call.name} />(<VisibleText text={call.arguments} />)
        </p>
      ))}
    </div>
  );
}
