import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, createServer, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TargetSpec } from '../contracts/target.ts';
import { wholeBudget } from '../gateway/allotment.ts';
import { createGateway } from '../gateway/gateway.ts';
import { createProviders } from '../gateway/providers/create.ts';
import { simulatedProvider } from '../gateway/providers/simulated.ts';

/**
 * What the gateway adds to a call: OpenAI-shaped calls to a simulated model through the unix socket, beside a plain
 * node:http server on another unix socket that reads the same body and answers with the same number of bytes. Both in
 * this process, in turns, several rounds; the medians and their ratio are printed. `node bench/gateway.ts`.
 */
const rounds = 7;
const callsPerRound = 2_000;
const parallel = 32;

const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'Tell me about the weather in Riga. '.repeat(8) }] });

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'bench-gateway-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const gateway = join(folder, 'gateway.sock');
  const floor = join(folder, 'floor.sock');
  const session = stack.use(await openSession());
  stack.use(await session.door({ caseId: 'bench', split: 'public', trial: 0 }, 'submission').listen(gateway));
  const answer = await post(gateway, new Agent());
  stack.use(await listenFloor(floor, answer));
  for (const path of [floor, gateway]) await throughput(path);

  const rows: Record<'floor' | 'gateway', { p50Ms: number[]; perSecond: number[] }> = {
    floor: { p50Ms: [], perSecond: [] },
    gateway: { p50Ms: [], perSecond: [] },
  };
  for (let round = 0; round < rounds; round++) {
    for (const [name, path] of [['floor', floor] as const, ['gateway', gateway] as const]) {
      rows[name].p50Ms.push(await latency(path));
      rows[name].perSecond.push(await throughput(path));
    }
  }
  print(rows);
}

async function openSession() {
  const budget = { calls: 10_000_000, inputTokens: 1e12, outputTokens: 1e12, costMicros: 0 };
  const providers = { ...createProviders({}), simulated: simulatedProvider({ echo: (r) => ({ text: r.messages.at(-1)?.content ?? '' }) }) };
  const opened = await createGateway(providers).open({
    targets: [TargetSpec.parse({ name: 'echo', provider: 'simulated', model: 'echo' })],
    budget,
    allotment: wholeBudget(budget),
    world: { cases: [], secretsOf: () => ({}), seed: '0'.repeat(64), text: () => '' },
    judges: [],
    judging: { budget, allotment: wholeBudget(budget), replies: null },
    signal: new AbortController().signal,
    record: () => {},
  });
  if (!opened.ok) throw new Error(opened.message);
  return opened.session;
}

async function listenFloor(path: string, answer: string): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    request.on('data', () => {});
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) });
      response.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function post(socketPath: string, agent: Agent): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const request = httpRequest({ socketPath, agent, method: 'POST', path: '/v1/chat/completions', headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      if (response.statusCode === 200) resolve(text);
      else reject(new Error(`${response.statusCode}: ${text}`));
    });
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}

/** Median time of one call, one after another on one connection, in milliseconds. */
async function latency(path: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  for (let i = 0; i < callsPerRound / 4; i++) {
    const start = performance.now();
    await post(path, agent);
    times.push(performance.now() - start);
  }
  agent.destroy();
  return median(times);
}

/** Calls per second with many in parallel on kept connections. */
async function throughput(path: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: parallel });
  const start = performance.now();
  let left = callsPerRound;
  const one = async () => {
    while (left-- > 0) await post(path, agent);
  };
  await Promise.all(Array.from({ length: parallel }, one));
  agent.destroy();
  return callsPerRound / ((performance.now() - start) / 1000);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function print(rows: Record<'floor' | 'gateway', { p50Ms: number[]; perSecond: number[] }>): void {
  const of = (name: 'floor' | 'gateway') => ({ p50Ms: median(rows[name].p50Ms), perSecond: median(rows[name].perSecond) });
  const [floor, ours] = [of('floor'), of('gateway')];
  console.log(`floor    p50 ${floor.p50Ms.toFixed(3)} ms   ${floor.perSecond.toFixed(0)} calls/s at ${parallel} in parallel`);
  console.log(`gateway  p50 ${ours.p50Ms.toFixed(3)} ms   ${ours.perSecond.toFixed(0)} calls/s at ${parallel} in parallel`);
  console.log(
    `added    p50 ${(ours.p50Ms - floor.p50Ms).toFixed(3)} ms   ratio of calls/s ${(ours.perSecond / floor.perSecond).toFixed(2)}`,
  );
}

await main();
