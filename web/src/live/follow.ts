import { EvaluationEvent } from '../../../contracts/events.ts';

export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'polling' | 'ended';
export interface FollowedEvent {
  /** Place in the evaluation's own sequence, from 1; 0 when the stream gave none. */
  seq: number;
  /** ISO time at which it happened; null when the stream gave none. */
  at: string | null;
  event: EvaluationEvent;
}
export interface Follower {
  onState: (state: LiveState) => void;
  onEvent: (event: FollowedEvent) => void;
  /** Called every `pollMs` while the stream cannot be had. */
  onPoll: () => void;
}
type Source = Pick<EventSource, 'addEventListener' | 'close' | 'readyState'>;
export interface FollowDeps {
  open: (path: string) => Source;
  pollMs: number;
  retryMs: number;
}

const browser: FollowDeps = { open: (path) => new EventSource(path), pollMs: 2_000, retryMs: 15_000 };
const kinds: readonly EvaluationEvent['kind'][] = ['status', 'waiting', 'split', 'case', 'usage', 'retry', 'verdict'];
const closed = 2;

/**
 * Follows an evaluation until it is done. The browser reconnects by itself and sends the last id it saw, so nothing is
 * lost between; when it gives up (a proxy that refuses streams, a server restart that answers 503) the page polls and
 * tries the stream again from time to time. Returns the way to stop.
 */
export function followEvaluation(path: string, follower: Follower, deps: FollowDeps = browser): () => void {
  let source: Source | undefined;
  let poll: ReturnType<typeof setInterval> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let lastSeq = 0;
  const stop = () => {
    source?.close();
    clearInterval(poll);
    clearTimeout(retry);
    poll = undefined;
  };
  const take = (message: MessageEvent<string>) => {
    const followed = readEvent(message);
    if (!followed || (followed.seq > 0 && followed.seq <= lastSeq)) return;
    lastSeq = Math.max(lastSeq, followed.seq);
    follower.onEvent(followed);
    if (followed.event.kind !== 'status' || followed.event.status !== 'done') return;
    stop();
    follower.onState('ended');
  };
  const fall = () => {
    if (source?.readyState !== closed) return follower.onState('reconnecting');
    follower.onState('polling');
    poll ??= setInterval(follower.onPoll, deps.pollMs);
    retry = setTimeout(connect, deps.retryMs);
  };
  const connect = () => {
    const next = deps.open(path);
    source = next;
    next.addEventListener('open', () => {
      clearInterval(poll);
      poll = undefined;
      follower.onState('live');
    });
    next.addEventListener('error', () => {
      if (next === source) fall();
    });
    for (const kind of ['message', ...kinds]) next.addEventListener(kind, (message) => take(message as MessageEvent<string>));
  };
  follower.onState('connecting');
  connect();
  return stop;
}

/** An event as the stream carries it: a stored event, or the event alone with its sequence as the message's id. */
export function readEvent(message: Pick<MessageEvent<string>, 'data' | 'lastEventId'>): FollowedEvent | null {
  let data: unknown;
  try {
    data = JSON.parse(message.data);
  } catch {
    // A frame that is no JSON is not ours (a proxy's banner): the next read of the evaluation makes up for it.
    return null;
  }
  const stored = data !== null && typeof data === 'object' && 'event' in data ? data : null;
  const parsed = EvaluationEvent.safeParse(stored ? stored.event : data);
  if (!parsed.success) return null;
  const seq = Number(message.lastEventId || (stored && 'seq' in stored ? stored.seq : 0));
  const at = stored && 'at' in stored && typeof stored.at === 'string' ? stored.at : null;
  return { seq: Number.isSafeInteger(seq) ? seq : 0, at, event: parsed.data };
}
