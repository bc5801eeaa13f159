import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { StoredEvent } from '../../contracts/events.ts';
import { until } from './until.ts';

/** A reader of one event stream over a connection of its own, as a browser's EventSource is; nothing is interpreted for it. */
export interface Stream extends AsyncDisposable {
  status: number;
  headers: IncomingHttpHeaders;
  events: StoredEvent[];
  /** Everything received, frames and comments. */
  text(): string;
  /** In how many pieces it came. */
  pieces(): number;
  /** The server ended the response. */
  ended(): boolean;
  /** The connection is gone, ended or not. */
  closed(): boolean;
  /** Waits for this many events. */
  have(count: number): Promise<StoredEvent[]>;
  /** Stops or goes on taking bytes from the connection. */
  pause(): void;
  resume(): void;
}

export async function openStream(url: string, headers: Record<string, string> = {}): Promise<Stream> {
  let text = '';
  let parsed = 0;
  let pieces = 0;
  let ended = false;
  const events: StoredEvent[] = [];
  const asked: ClientRequest = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', reject);
    asked.end();
  });
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    text += chunk;
    pieces++;
    for (let end = text.indexOf('\n\n', parsed); end >= 0; end = text.indexOf('\n\n', parsed)) {
      const data = /^data: (.*)$/m.exec(text.slice(parsed, end))?.[1];
      if (data !== undefined) events.push(StoredEvent.parse(JSON.parse(data)));
      parsed = end + 2;
    }
  });
  response.on('end', () => {
    ended = true;
  });
  // A server that is killed cuts the connection; what a test cares for is what had arrived.
  response.on('error', () => undefined);
  asked.on('error', () => undefined);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    text: () => text,
    pieces: () => pieces,
    ended: () => ended,
    closed: () => asked.closed,
    have: async (count) => {
      await until(`${count} events, there are ${events.length}`, () => events.length >= count);
      return events;
    },
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    [Symbol.asyncDispose]: async () => {
      asked.destroy();
      await until('connection closed', () => asked.closed);
    },
  };
}
