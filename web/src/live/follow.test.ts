import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type FollowedEvent, followEvaluation, type LiveState, readEvent } from './follow.ts';

class FakeSource extends EventTarget {
  readyState = 0;
  close() {
    this.readyState = 2;
  }
  say(name: string, data: object, id: number) {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data), lastEventId: String(id) }));
  }
}

const status = (name: string) => ({ kind: 'status', status: name, outcome: null, reason: null });

function start() {
  const sources: FakeSource[] = [];
  const states: LiveState[] = [];
  const events: FollowedEvent[] = [];
  const onPoll = vi.fn();
  const open = () => {
    const source = new FakeSource();
    sources.push(source);
    return source as unknown as EventSource;
  };
  const follower = { onState: (state: LiveState) => states.push(state), onEvent: (event: FollowedEvent) => events.push(event), onPoll };
  const stop = followEvaluation('/events', follower, { open, pollMs: 2_000, retryMs: 15_000 });
  return { sources, states, events, onPoll, stop };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('follows until done, skips what it has seen, then closes', () => {
  const { sources, states, events } = start();
  const [source] = sources;
  source?.dispatchEvent(new Event('open'));
  source?.say('message', { evaluationId: 'x', seq: 1, at: '2026-01-01T00:00:00Z', event: status('queued') }, 1);
  source?.say('status', status('running'), 2);
  source?.say('status', status('running'), 2);
  source?.say('status', status('done'), 3);
  expect(events.map(({ seq, at }) => [seq, at])).toEqual([
    [1, '2026-01-01T00:00:00Z'],
    [2, null],
    [3, null],
  ]);
  expect(states).toEqual(['connecting', 'live', 'ended']);
  expect(source?.readyState).toBe(2);
});

it('says that it reconnects while the browser does', () => {
  const { sources, states } = start();
  sources[0]?.dispatchEvent(new Event('error'));
  expect(states).toEqual(['connecting', 'reconnecting']);
});

it('polls when the stream is refused, and stops polling when it comes back', () => {
  const { sources, states, onPoll, stop } = start();
  sources[0]?.close();
  sources[0]?.dispatchEvent(new Event('error'));
  vi.advanceTimersByTime(6_000);
  expect(onPoll).toHaveBeenCalledTimes(3);
  vi.advanceTimersByTime(9_000);
  expect(sources).toHaveLength(2);
  sources[1]?.dispatchEvent(new Event('open'));
  const polls = onPoll.mock.calls.length;
  vi.advanceTimersByTime(10_000);
  expect(onPoll).toHaveBeenCalledTimes(polls);
  expect(states).toEqual(['connecting', 'polling', 'live']);
  stop();
  expect(sources[1]?.readyState).toBe(2);
});

it('ignores frames that are not events', () => {
  expect(readEvent({ data: 'hello', lastEventId: '' })).toBeNull();
  expect(readEvent({ data: '{"kind":"other"}', lastEventId: '4' })).toBeNull();
});
