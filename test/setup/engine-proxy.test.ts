import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import type Docker from 'dockerode';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { engineAt, within } from '../../sandboxes/docker/engine.ts';
import { testEngine } from './docker.ts';
import { type EngineCall, type EngineProxy, startEngineProxy } from './engine-proxy.ts';
import { describeWith } from './optional.ts';

const engine = await testEngine();
const label = `engine-proxy-test-${process.pid}`;
const echo = 'import sys\nfor line in sys.stdin:\n    sys.stdout.write(line)\n    sys.stdout.flush()\n';
const isPing = ({ path }: EngineCall) => path.endsWith('/_ping');
const isAttach = ({ path }: EngineCall) => path.endsWith('/attach');
const isCreate = ({ path }: EngineCall) => path.endsWith('/containers/create');

function through(proxy: EngineProxy): Docker {
  const found = engineAt(proxy.host);
  if (!found.ok) throw new Error(found.problem);
  return found.docker;
}

describeWith('docker', engine.state, 'an engine behind the proxy', () => {
  const body = (script = echo): Docker.ContainerCreateOptions => ({
    Image: engine.images.python ?? '',
    Entrypoint: ['/usr/bin/python3', '-c', script],
    NetworkDisabled: true,
    ...{ OpenStdin: true, StdinOnce: true },
    ...{ AttachStdin: true, AttachStdout: true, AttachStderr: true },
    Labels: { [label]: '' },
  });
  const started = () => startEngineProxy({ engineHost: engine.dockerHost });
  const left = () => engine.docker.listContainers({ all: true, filters: { label: [label] } });
  afterEach(async () => {
    for (const { Id } of await left()) await engine.docker.getContainer(Id).remove({ force: true });
  });
  const attached = async (docker: Docker) => {
    const container = await docker.createContainer(body());
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    await container.start();
    return { container, stream };
  };
  const echoed = async (stream: NodeJS.ReadWriteStream, text: string): Promise<string> => {
    let got = '';
    const seen = new Promise<void>((resolve) =>
      stream.on('data', (chunk: Buffer) => {
        got += chunk.toString();
        if (got.includes(text)) resolve();
      }),
    );
    stream.write(`${text}\n`);
    await within(5_000, 'echo', seen);
    return got;
  };

  it('answers as it does directly, streams included, and every call is on record', async () => {
    await using proxy = await started();
    const docker = through(proxy);
    const { container, stream } = await attached(docker);
    await echoed(stream, 'hello there');
    await expect(docker.getContainer('0'.repeat(64)).inspect()).rejects.toMatchObject({ statusCode: 404 });
    const stats = (await container.stats({ stream: true })) as NodeJS.ReadableStream & { destroy(): void };
    await once(stats, 'data');
    stats.destroy();
    stream.end();
    expect(await container.wait()).toMatchObject({ StatusCode: 0 });
    await container.remove();
    expect(await left()).toEqual([]);
    const { id } = container;
    expect(proxy.calls().map((call) => `${call.method} ${call.path.replace(id, 'ID')}${call.hijacked ? ' hijacked' : ''}`)).toEqual([
      'POST /containers/create',
      'POST /containers/ID/attach hijacked',
      'POST /containers/ID/start',
      `GET /containers/${'0'.repeat(64)}/json`,
      'GET /containers/ID/stats',
      'POST /containers/ID/wait',
      'DELETE /containers/ID',
    ]);
    expect(proxy.calls()[0]).toMatchObject({ number: 0, body: { NetworkDisabled: true, Labels: { [label]: '' } } });
    expect(proxy.calls()[1]?.query).toContain('stdin=true');
  });

  it('hangs, refuses, fails and is slow for the calls it is told to, and for no others', async () => {
    await using proxy = await started();
    const docker = through(proxy);
    proxy.fault(isPing, { kind: 'status', status: 500, message: 'out of order' });
    await expect(docker.ping()).rejects.toMatchObject({ statusCode: 500, message: expect.stringContaining('out of order') });
    expect(await docker.version()).toHaveProperty('ApiVersion');
    proxy.fault(isPing, { kind: 'refuse' });
    await expect(docker.ping()).rejects.toMatchObject({ code: 'ECONNRESET' });
    proxy.fault(isPing, { kind: 'delay', ms: 150 });
    const before = performance.now();
    await docker.ping();
    expect(performance.now() - before).toBeGreaterThanOrEqual(149);
    proxy.fault(isPing, { kind: 'hang' });
    const hanging = docker.ping();
    await expect(within(200, 'answer', hanging)).rejects.toThrow('did not answer within 200 ms');
    expect(await docker.version()).toHaveProperty('ApiVersion');
    await proxy.heal();
    expect(String(await hanging)).toBe('OK');
  });

  it('can do what it was asked without ever saying so', async () => {
    await using proxy = await started();
    proxy.fault(isCreate, { kind: 'lose' });
    const created = through(proxy).createContainer(body());
    await expect.poll(left).toHaveLength(1);
    await expect(within(200, 'answer', created)).rejects.toThrow();
    await proxy.heal();
    expect((await left()).map((one) => one.Id)).toEqual([(await created).id]);
  });

  it('fails an attached stream that is open: stands still, goes on, is cut', async () => {
    await using proxy = await started();
    const { stream } = await attached(through(proxy));
    await echoed(stream, 'one');
    proxy.fault(isAttach, { kind: 'hang' });
    const late = echoed(stream, 'two');
    await expect(within(300, 'echo', late)).rejects.toThrow('within 300 ms');
    await proxy.heal();
    await late;
    const closed = once(stream, 'close');
    proxy.fault(isAttach, { kind: 'refuse' });
    await within(2_000, 'close', closed);
  });

  it('drops an answer in the middle', async () => {
    await using proxy = await started();
    const docker = through(proxy);
    proxy.fault(({ path }) => path.endsWith('/info'), { kind: 'drop', afterBytes: 100 });
    const { pathname } = new URL(proxy.host);
    const [answer] = (await once(request({ socketPath: pathname, path: '/info' }).end(), 'response')) as [IncomingMessage];
    await expect(answer.toArray()).rejects.toMatchObject({ code: 'ECONNRESET' });
    // The client says nothing when an answer breaks off: a call without a bound of its own would wait for ever.
    await expect(within(300, 'answer', docker.info())).rejects.toThrow('within 300 ms');
    const { stream } = await attached(docker);
    const closed = once(stream, 'close');
    proxy.fault(isAttach, { kind: 'drop', afterBytes: 0 });
    stream.write('x\n');
    await within(2_000, 'close', closed);
  });

  it('dies with everything that is open, and returns; what hung is forgotten', async () => {
    await using proxy = await started();
    const docker = through(proxy);
    const { container, stream } = await attached(docker);
    proxy.fault(isCreate, { kind: 'hang' });
    const hanging = docker.createContainer(body()).catch((error: NodeJS.ErrnoException) => error.code);
    await expect.poll(() => proxy.calls().filter(isCreate)).toHaveLength(2);
    const closed = once(stream, 'close');
    await proxy.die();
    await within(2_000, 'close', closed);
    expect(await hanging).toBe('ECONNRESET');
    await expect(docker.ping()).rejects.toMatchObject({ code: expect.stringMatching(/ENOENT|ECONNREFUSED/) });
    await proxy.heal();
    expect(await docker.ping()).toHaveLength(2);
    expect((await left()).map((one) => one.Id)).toEqual([container.id]);
  });

  it('passes a create call that is long in its query too, as the client makes it', async () => {
    await using proxy = await started();
    const long = 'x'.repeat(100_000);
    await through(proxy).createContainer({ ...body(), Labels: { [label]: long } });
    expect(proxy.calls()).toMatchObject([{ query: '', body: { Labels: { [label]: long } } }]);
  });

  it('never lets the body of an attach call become input of the program', async () => {
    await using proxy = await started();
    const container = await engine.docker.createContainer(body());
    const socket = connect(new URL(proxy.host).pathname);
    const said = '{"stream":true,"stdin":true}\n';
    const query = 'stream=true&stdin=true&stdout=true';
    socket.write(`POST /containers/${container.id}/attach?${query} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n`);
    socket.write(`Content-Length: ${said.length}\r\n\r\n`);
    // The proxy knows the head; the body comes on its own.
    await expect.poll(() => proxy.calls().length).toBe(1);
    socket.write(said);
    const [head] = (await once(socket, 'data')) as [Buffer];
    expect(head.toString()).toContain('101');
    await container.start();
    expect(await echoed(socket, 'only this')).not.toContain('stream');
    socket.destroy();
  });

  it('leaves no socket behind', async () => {
    const proxy = await started();
    await proxy[Symbol.asyncDispose]();
    await expect(stat(new URL(proxy.host).pathname)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
