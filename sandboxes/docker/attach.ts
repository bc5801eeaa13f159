import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Engine } from './engine.ts';

/**
 * The container's stdin, stdout and stderr as one stream. Not by dockerode: it sends its options as a body, and an
 * engine that has taken over the connection by the time the body arrives hands it to the container as input, which the
 * runner then takes for the length of a frame and waits for ever (seen on Engine 20.10 when head and body come apart).
 * @throws when the engine refuses; bound it with `within`.
 */
export function attach({ docker }: Engine, id: string): Promise<Duplex> {
  const { socketPath, host, port } = docker.modem as { socketPath?: string; host?: string; port?: number | string };
  const place = socketPath === undefined ? { host, port } : { socketPath };
  const path = `/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1`;
  const headers = { Connection: 'Upgrade', Upgrade: 'tcp', 'Content-Length': 0 };
  return new Promise((resolve, reject) => {
    // A connection of its own: whether taken over or refused, it is of no use for anything after.
    const call = request({ ...place, method: 'POST', path, headers, agent: false });
    call.once('upgrade', (_response, socket: Duplex, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    call.once('response', (response) => {
      saidIn(response).then((said) => reject(Object.assign(new Error(said), { statusCode: response.statusCode })), reject);
    });
    call.once('error', reject);
    call.end();
  });
}

const mostSaidBytes = 4096;

/** The engine's reason for a refusal: a short JSON document with a message. */
async function saidIn(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of response.setEncoding('utf8')) {
    text += part;
    if (text.length > mostSaidBytes) break;
  }
  return `the engine did not attach: ${text.trim()}`;
}
