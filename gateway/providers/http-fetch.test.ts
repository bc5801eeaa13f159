import { once } from 'node:events';
import http, { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { httpFetch } from './http-fetch.ts';

/** A server that answers as told, and how many connections it got. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  let connections = 0;
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('the server has no port');
  open.push({
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return { url: `http://127.0.0.1:${address.port}/v1`, connections: () => connections };
}
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

const post = (url: string, init: RequestInit = {}) => httpFetch(url, { method: 'POST', body: '{"a":"é"}', ...init });
async function read(response: Response, most = Number.POSITIVE_INFINITY): Promise<string> {
  let text = '';
  if (response.body === null) throw new Error('no body');
  for await (const piece of response.body) {
    text += Buffer.from(piece).toString('utf8');
    if (text.length >= most) break;
  }
  return text;
}

describe('a request over node:http', () => {
  it('sends method, headers and body, and gives back status, headers and pieces', async () => {
    const seen: { method: string | undefined; headers: IncomingMessage['headers']; body: string }[] = [];
    const server = await serve(async (request, response) => {
      let body = '';
      for await (const piece of request) body += String(piece);
      seen.push({ method: request.method, headers: request.headers, body });
      response.writeHead(429, { 'retry-after': '3', 'set-cookie': ['a=1', 'b=2'] }).end('slow down');
    });
    const response = await post(server.url, { headers: new Headers({ authorization: 'Bearer k' }) });
    expect([response.status, response.ok, response.headers.get('Retry-After'), await response.text()]).toEqual([
      429,
      false,
      '3',
      'slow down',
    ]);
    expect(seen[0]).toMatchObject({ method: 'POST', body: '{"a":"é"}' });
    expect(seen[0]!.headers).toMatchObject({ authorization: 'Bearer k', 'content-length': '10', 'accept-encoding': 'identity' });
  });

  it('leaves its connection to the next one, also when the last bytes of a stream are not waited for', async () => {
    const server = await serve((_request, response) => {
      response.write('data: [DONE]\n\n');
      setImmediate(() => response.end());
    });
    for (let i = 0; i < 5; i++) {
      const free = once(http.globalAgent, 'free');
      expect(await read(await post(server.url), 10)).toContain('[DONE]');
      await free;
    }
    expect(server.connections()).toBe(1);
  });

  it('closes the connection of a body that nobody reads and that does not end', async () => {
    const closed = Promise.withResolvers<void>();
    const server = await serve((_request, response) => {
      response.on('close', closed.resolve);
      response.write('data: 1\n\n');
    });
    expect(await read(await post(server.url), 1)).toContain('data');
    await closed.promise;
  });

  it('ends with the reason of its signal, before the answer and in the middle of it', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/v1/starts') response.write('begun');
    });
    const before = new AbortController();
    const waiting = expect(post(server.url, { signal: before.signal })).rejects.toThrow('too late');
    before.abort(new Error('too late'));
    await waiting;
    const during = new AbortController();
    const response = await post(`${server.url}/starts`, { signal: during.signal });
    const reading = expect(read(response)).rejects.toThrow();
    during.abort(new Error('too late'));
    await reading;
    await expect(post(server.url, { signal: AbortSignal.abort(new Error('never begun')) })).rejects.toThrow('never begun');
  });

  it('does not take a cut body for a whole one', async () => {
    const server = await serve((_request, response) => {
      response.write('half');
      setImmediate(() => response.destroy());
    });
    await expect(read(await post(server.url))).rejects.toThrow();
  });

  it('fails when nobody listens', async () => {
    const server = await serve(() => {});
    for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
    await expect(post(server.url)).rejects.toThrow('ECONNREFUSED');
  });

  it('follows no redirect: the key would go along', async () => {
    const elsewhere: string[] = [];
    const other = await serve((request, response) => {
      elsewhere.push(request.url ?? '');
      response.end();
    });
    const server = await serve((_request, response) => response.writeHead(307, { location: other.url }).end());
    expect((await post(server.url, { headers: { authorization: 'Bearer k' } })).status).toBe(307);
    expect(elsewhere).toEqual([]);
  });

  it('takes no compressed answer', async () => {
    const server = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('xx'));
    await expect(post(server.url)).rejects.toThrow('encoded as gzip');
  });

  it('reads no more of an error than anybody needs', async () => {
    const server = await serve((_request, response) => response.writeHead(500).end('x'.repeat(5_000_000)));
    const text = await (await post(server.url)).text();
    expect(text.length).toBeGreaterThanOrEqual(1_048_576);
    expect(text.length).toBeLessThan(2_500_000);
  });

  it('sends nothing but texts', () => {
    expect(() => post('http://127.0.0.1:1', { body: new Uint8Array(1) })).toThrow(TypeError);
  });
});
