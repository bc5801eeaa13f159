import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { StoredEvent } from '../contracts/events.ts';
import { readEvents } from '../domain/events/read.ts';
import type { ServerDeps } from './deps.ts';

const pingEveryMs = 15_000;
/** A stream ends after this and the browser comes back with Last-Event-ID, so that access is checked again. */
const longestStreamMs = 600_000;
const batch = 500;

export interface EventStream {
  deps: Pick<ServerDeps, 'db' | 'events' | 'log'>;
  evaluationId: string;
  /** Sequence number of the last event the reader has. */
  after: number;
  reply: FastifyReply;
  closed: IncomingMessage;
}

/**
 * Sends stored events, then waits for a notification and reads again. The notification carries only an id and may be
 * lost; the table is the truth, so a wake that finds nothing costs one query and a lost one is made good by the ping.
 */
export async function streamEvents(stream: EventStream): Promise<void> {
  const { reply } = stream;
  reply.hijack();
  const raw = reply.raw;
  raw.writeHead(200, {
    ...headersOf(reply),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  let wake = Promise.withResolvers<void>();
  const wakeUp = () => wake.resolve();
  let open = true;
  stream.closed.on('close', () => {
    open = false;
    wakeUp();
  });
  const unsubscribe = stream.deps.events.subscribe(stream.evaluationId, wakeUp);
  const ping = setInterval(() => {
    raw.write(': ping\n\n');
    wakeUp();
  }, pingEveryMs);
  const end = setTimeout(() => {
    open = false;
    wakeUp();
  }, longestStreamMs);
  try {
    raw.write('retry: 1000\n\n');
    let last = stream.after;
    while (open) {
      wake = Promise.withResolvers<void>();
      const events = await readEvents(stream.deps.db, stream.evaluationId, last, batch);
      for (const event of events) if (!raw.write(frameOf(event))) await Promise.race([once(raw, 'drain'), once(raw, 'close')]);
      last = events.at(-1)?.seq ?? last;
      if (events.some(isLast)) break;
      if (events.length < batch) await wake.promise;
    }
  } catch (error) {
    stream.deps.log.warn({ err: error, evaluationId: stream.evaluationId }, 'event stream broke off, the reader resumes');
  } finally {
    clearInterval(ping);
    clearTimeout(end);
    unsubscribe();
    raw.end();
  }
}

const frameOf = (event: StoredEvent): string => `id: ${event.seq}\nevent: ${event.event.kind}\ndata: ${JSON.stringify(event)}\n\n`;

/** After the final status nothing more is written; an open stream would only hold a connection. */
const isLast = ({ event }: StoredEvent): boolean => event.kind === 'status' && event.status === 'done';

/** Headers that plugins already set (security headers) would be lost by taking over the raw response. */
function headersOf(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}
