import { Buffer } from 'node:buffer';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';

/**
 * `fetch` for the SDKs, over `node:http`. They need no more of it than this: one request with a text for a body, headers,
 * a body that is read once. The built-in one spends three times the processor time on it, in web streams and copies of
 * headers (measured: bench/README.md). Connections are kept and the environment's proxy is heeded, by Node's own agents.
 *
 * Two things are stricter. A redirect is not followed: the key must not go where nobody configured it. And nothing is
 * accepted compressed, so no small reply becomes a large one.
 */
export const httpFetch: typeof fetch = (input, init = {}) => {
  const asked = Promise.withResolvers<Response>();
  const { signal, body } = init;
  if (body !== null && body !== undefined && typeof body !== 'string') throw new TypeError('only texts can be sent here');
  if (signal?.aborted) return Promise.reject(signal.reason);
  const url = new URL(input instanceof Request ? input.url : input);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  for (const [name, value] of headersOf(init.headers)) headers[name] = value;
  if (typeof body === 'string') headers['content-length'] = String(Buffer.byteLength(body));
  const request = (url.protocol === 'https:' ? https : http).request(url, { method: init.method ?? 'GET', headers });
  const onAbort = () => {
    asked.reject(signal?.reason);
    request.destroy();
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  request.once('close', () => signal?.removeEventListener('abort', onAbort));
  // Later errors, when there is a response already, reach whoever reads its body.
  request.on('error', asked.reject);
  request.once('response', (message) => {
    const encoding = message.headers['content-encoding'] ?? 'identity';
    if (encoding === 'identity') return asked.resolve(responseOf(message, url));
    asked.reject(new Error(`the answer is encoded as ${encoding}, which was not asked for`));
    request.destroy();
  });
  request.end(body ?? undefined);
  return asked.promise;
};

const headersOf = (given: RequestInit['headers']): Iterable<[string, string]> => (given instanceof Headers ? given : new Headers(given));

/** The largest text of an error that is read. */
const mostTextBytes = 1_048_576;
/** How long the rest of a body that nobody reads may take to come, before its connection is closed. */
const restMs = 250;

/** What the SDKs use of a response; their streams take anything that can be iterated for a body. */
function responseOf(message: IncomingMessage, url: URL): Response {
  const status = message.statusCode ?? 0;
  const headers = new Headers();
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2) headers.append(message.rawHeaders[i]!, message.rawHeaders[i + 1]!);
  const body = bodyOf(message);
  const text = async () => {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of body) {
      parts.push(part);
      size += part.byteLength;
      if (size > mostTextBytes) break;
    }
    return Buffer.concat(parts).toString('utf8');
  };
  const used = { status, ok: status >= 200 && status < 300, statusText: message.statusMessage ?? '', headers, url: url.href, body };
  return { ...used, text, json: async () => JSON.parse(await text()) as unknown } as unknown as Response;
}

/**
 * The pieces of a body, to be read once. Whoever stops before its end leaves the connection to the next call if the rest
 * is there: an SDK stops at the last event of a stream, which is a few bytes before the end of the body.
 */
function bodyOf(message: IncomingMessage): AsyncIterable<Buffer> {
  let failure: { error: unknown } | null = null;
  let ended = false;
  let wake = () => {};
  const end = (error?: Error) => {
    if (error !== undefined) failure ??= { error };
    ended = true;
    wake();
  };
  message.on('readable', () => wake());
  message.once('end', end);
  message.once('error', end);
  // A connection that breaks before the end is an error of the message; without one, only its being destroyed is told.
  message.once('close', () => end(message.readableEnded ? undefined : new Error('the connection was closed before the end')));
  const iterator: AsyncIterator<Buffer> = {
    next: async () => {
      for (;;) {
        const piece = message.read() as Buffer | null;
        if (piece !== null) return { done: false, value: piece };
        if (failure !== null) throw failure.error;
        if (ended) return { done: true, value: undefined };
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    return: async () => {
      if (!ended) drain(message);
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

function drain(message: IncomingMessage): void {
  message.removeAllListeners('readable');
  message.resume();
  const timer = setTimeout(() => message.destroy(), restMs);
  message.once('close', () => clearTimeout(timer));
}
