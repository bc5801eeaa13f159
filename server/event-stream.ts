import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { StoredEvent } from '../contracts/events.ts';
import { readEvents } from '../domain/events/read.ts';
import type { ServerDeps } from './deps.ts';

/*
 * One evaluation's events as server-sent events. The table is the truth; a notification carries only an id, may be lost
 * and only says "read again". So a wake that finds nothing costs one query, a lost one is made good by the next ping,
 * and a reader who comes back with Last-Event-ID goes on exactly where it was, on any server and after any restart.
 */

export interface StreamBounds {
  /** A comment is sent this often, so that proxies keep the connection and a dead reader is noticed. */
  pingEveryMs: number;
  /** A stream ends after this and the browser comes back with Last-Event-ID, so that access is checked again. */
  longestMs: number;
  /** A burst of cases is told in at most one piece per this time. */
  shortestGapMs: number;
  /** Streams open at the same time; each holds a connection and asks the database at every ping. */
  mostOpen: number;
}

export const streamBounds: StreamBounds = { pingEveryMs: 15_000, longestMs: 600_000, shortestGapMs: 100, mostOpen: 2_000 };

const batch = 500;

export interface EventStream {
  deps: Pick<ServerDeps, 'db' | 'events'>;
  evaluationId: string;
  /** Sequence number of the last event the reader has. */
  after: number;
  reply: FastifyReply;
  /** Aborted when the server closes. */
  closing: AbortSignal;
  bounds: StreamBounds;
}

/** Takes over the reply and sends events until the evaluation is done, the reader has gone, or a bound is reached. */
export async function streamEvents(stream: EventStream): Promise<void> {
  const { reply, bounds } = stream;
  reply.hijack();
  const raw = reply.raw;
  raw.writeHead(200, {
    ...headersOf(reply),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    connection: 'close',
  });
  const ended = new AbortController();
  const end = () => ended.abort();
  // Of the response, not of the request: a request is "closed" as soon as it was read.
  raw.once('close', end);
  stream.closing.addEventListener('abort', end);
  if (raw.destroyed || stream.closing.aborted) end();
  const longest = setTimeout(end, bounds.longestMs);
  try {
    raw.write('retry: 1000\n\n');
    await follow(stream, raw, ended.signal);
  } catch (error) {
    if (!ended.signal.aborted)
      reply.log.warn({ err: error, evaluationId: stream.evaluationId }, 'event stream broke off, the reader resumes');
  } finally {
    clearTimeout(longest);
    raw.off('close', end);
    stream.closing.removeEventListener('abort', end);
    // What a reader does not take would keep the connection open for ever.
    if (raw.writableNeedDrain) raw.destroy();
    else raw.end();
  }
}

async function follow({ deps, evaluationId, after, bounds }: EventStream, raw: ServerResponse, signal: AbortSignal): Promise<void> {
  let wake = Promise.withResolvers<void>();
  const wakeUp = () => wake.resolve();
  const unsubscribe = deps.events.subscribe(evaluationId, wakeUp);
  signal.addEventListener('abort', wakeUp);
  const ping = setInterval(() => {
    if (!raw.writableNeedDrain) raw.write(': ping\n\n');
    wakeUp();
  }, bounds.pingEveryMs);
  try {
    let last = after;
    while (!signal.aborted) {
      const readAt = performance.now();
      // Before reading: what is notified while the query runs must cause another one.
      wake = Promise.withResolvers<void>();
      const events = await readEvents(deps.db, evaluationId, last, batch);
      if (signal.aborted) return;
      if (events.length > 0 && !raw.write(events.map(frameOf).join(''))) await once(raw, 'drain', { signal });
      if (events.some(isLast)) return;
      last = events.at(-1)?.seq ?? last;
      if (events.length === batch) continue;
      await wake.promise;
      await pause(Math.max(0, readAt + bounds.shortestGapMs - performance.now()), undefined, { signal });
    }
  } finally {
    clearInterval(ping);
    unsubscribe();
  }
}

const frameOf = (event: StoredEvent): string => `id: ${event.seq}\nevent: ${event.event.kind}\ndata: ${JSON.stringify(event)}\n\n`;

/** After the final status nothing more is written; an open stream would only hold a connection. */
const isLast = ({ event }: StoredEvent): boolean => event.kind === 'status' && event.status === 'done';

/** Headers that plugins already set (security headers) would be lost by taking over the raw response. */
function headersOf(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}
