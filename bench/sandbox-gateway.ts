import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { ModelDoor } from '../contracts/sandbox.ts';
import { fakeDoor } from '../sandboxes/conformance-door.ts';
import { answered, type BenchSetup, limits, median, openSandbox, quantile, type Row, runCase } from './sandbox-setup.ts';

/**
 * What the forwarder on 127.0.0.1 adds to the gateway's socket, measured by the program inside: the same calls on kept
 * connections, in turns, to the socket itself and through the forwarder. Behind both a server that does nothing. Then
 * streams of many small pieces: how late each one arrives, alone and with fifty at once.
 */
const part = 'gateway';
const [pieces, pieceMs, streams] = [20, 20, 50];

const client = `
import http.client, socket, threading, time
class Direct(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect("/gateway/gateway.sock")
def through():
    return http.client.HTTPConnection("127.0.0.1", 8080)
`;

const latencies = `${client}
def call(connection):
    start = time.monotonic_ns()
    connection.request("POST", "/call", b"x" * 500)
    connection.getresponse().read()
    return (time.monotonic_ns() - start) / 1e6
def solve(task, target):
    direct, forwarded = Direct("127.0.0.1"), through()
    times = {"direct": [], "forwarded": []}
    for i in range(420):
        a, b = call(direct), call(forwarded)
        if i >= 20:
            times["direct"].append(a)
            times["forwarded"].append(b)
    return times
`;

/** Each piece carries the time of its sending; the program answers with how late it was, in milliseconds. */
const streaming = (count: number) => `${client}
lags = []
def stream():
    connection = through()
    connection.request("GET", "/stream")
    response = connection.getresponse()
    while True:
        line = response.readline()
        if not line:
            return
        lags.append((time.monotonic_ns() - int(line)) / 1e6)
def solve(task, target):
    threads = [threading.Thread(target=stream) for _ in range(${count})]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return lags
`;

const Times = z.object({ direct: z.array(z.number()), forwarded: z.array(z.number()) });
const Lags = z.array(z.number());

export async function benchGateway(setup: BenchSetup): Promise<Row[]> {
  await using driver = setup.driver();
  const ask = async (source: string) => {
    const more = { door: plainDoor, limits: { ...limits, wallMs: 60_000, cpuMs: 60_000, processes: 128 } };
    await using sandbox = await openSandbox(driver, source, more);
    return answered(await runCase(sandbox));
  };
  const times = Times.parse(await ask(latencies));
  const [direct, forwarded] = [median(times.direct), median(times.forwarded)];
  const one = Lags.parse(await ask(streaming(1)));
  const many = Lags.parse(await ask(streaming(streams)));
  return [
    { part, what: 'a call on the socket itself, p50', value: direct, unit: 'ms' },
    { part, what: 'through the forwarder, p50', value: forwarded, unit: 'ms' },
    { part, what: 'added', value: forwarded - direct, unit: 'ms', target: { most: 0.5 } },
    {
      part,
      what: `a piece of a stream is late by, p50 (sent every ${pieceMs} ms)`,
      value: median(one),
      unit: 'ms',
      target: { most: pieceMs / 2 },
    },
    { part, what: `${streams} streams at once: late by, p50`, value: median(many), unit: 'ms' },
    { part, what: `${streams} streams at once: late by, p99`, value: quantile(many, 0.99), unit: 'ms' },
    { part, what: `${streams} streams at once: pieces that arrived`, value: many.length, unit: '', target: { least: streams * pieces } },
  ];
}

/** A door without a gateway behind it, so that only the way there is measured. */
const plainDoor: ModelDoor = {
  chat: (request, signal) => fakeDoor().chat(request, signal),
  listen: async (path) => {
    const server = createServer(async (request, response) => {
      if (request.method === 'POST') {
        request.resume().on('end', () => response.end('{"answer":"nothing"}'));
        return;
      }
      response.socket?.setNoDelay(true);
      for (let i = 0; i < pieces && !response.destroyed; i++) {
        response.write(`${process.hrtime.bigint()}\n`);
        await pause(pieceMs);
      }
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return {
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
};
