import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type CaseRun, Limits } from '../../contracts/sandbox.ts';
import { testEngine, testImagesFile } from '../../test/setup/docker.ts';
import { describeWith } from '../../test/setup/optional.ts';
import { assemble, pushImage, tarOf, testRegistry } from '../../test/setup/registry.ts';
import { fakeDoor } from '../conformance-door.ts';
import { loadRunnerFolder } from '../images/build.ts';
import { dockerDriver } from './driver.ts';
import { isSlotUid, labels } from './hardening.ts';

const engine = await testEngine();
const { state, registry } = engine.state.available ? await testRegistry() : { state: engine.state, registry: null };
const socketFolder = await mkdtemp(join(tmpdir(), 'collective-sockets-'));
const never = () => new AbortController().signal;

afterAll(async () => await registry?.[Symbol.asyncDispose]());

describeWith('registry', state, 'images of participants', () => {
  const { dockerHost, images, docker } = engine;
  const workerId = `image-${process.pid}`;
  const pushed: string[] = [];
  const driver = async () => {
    const runnerFolder = await loadRunnerFolder(testImagesFile);
    if (runnerFolder === undefined || registry === null) throw new Error('the runner was not built');
    const imagePolicy = { registries: [registry.host], maxBytes: 50_000_000, maxLayers: 10 };
    const recordFolder = join(dirname(testImagesFile), `records-${process.pid}`);
    return dockerDriver({ dockerHost, socketFolder, images, workerId, runnerFolder, recordFolder, imagePolicy });
  };
  afterAll(async () => {
    for (const reference of pushed) {
      // One that was refused never came to the engine.
      await docker
        .getImage(reference)
        .remove({ force: true })
        .catch((error: { statusCode?: number }) => {
          if (error.statusCode !== 404) throw error;
        });
    }
  });

  /** An image of one static busybox and one shell script, in no language that we know of. */
  const imageOf = async (script: string, config: object = {}): Promise<string> => {
    if (registry === null) throw new Error('no registry');
    const layer = await tarOf([
      { name: 'bin/busybox', content: await readFile('/bin/busybox') },
      { name: 'solve', content: `#!/bin/busybox sh\n${script}` },
    ]);
    const reference = await pushImage(registry, 'solver', assemble({ layers: [layer], config: { Entrypoint: ['/solve'], ...config } }));
    pushed.push(reference);
    return reference;
  };
  const run = async (image: string, inputs: (string | number)[], door = fakeDoor()): Promise<CaseRun[]> => {
    const limits = Limits.parse({ wallMs: 5_000 });
    const opened = await (await driver()).open({ id: 'x', profile: 'image', program: { image }, limits, door, signal: never() });
    if (!opened.ok) throw new Error(`${opened.fault ?? 'platform'}: ${opened.message}`);
    await using sandbox = opened.sandbox;
    expect(sandbox.environment).toMatchObject({ driver: 'docker', runtime: 'runc', imageId: expect.stringMatching(/^sha256:/) });
    const runs: CaseRun[] = [];
    for (const input of inputs) runs.push(await sandbox.run({ id: 'c', input, target: 'keeper' }, never()));
    return runs;
  };

  it('read their task from stdin, answer on stdout and print on stderr, case after case', async () => {
    const image = await imageOf(
      'busybox=/bin/busybox\ntask=$($busybox cat)\necho "thinking" >&2\n$busybox echo "{\\"got\\":"\n$busybox echo "$task}"\n',
    );
    const [first, second] = await run(image, ['a', 2]);
    expect(first).toMatchObject({ kind: 'answer', answer: { got: { id: 'c', input: 'a', target: 'keeper' } }, log: 'thinking\n' });
    expect(second).toMatchObject({ kind: 'answer', answer: { got: { input: 2 } } });
  });

  it('reach the gateway and nothing else, as nobody, with an environment that is not theirs', async () => {
    const body = '{"model":"keeper","messages":[{"role":"user","content":"hi"}]}';
    const script = `b=/bin/busybox
reply=$($b wget -q -O - --header 'content-type: application/json' --post-data '${body}' http://127.0.0.1:8080/v1/chat/completions)
$b wget -q -T 2 -O - http://1.1.1.1/ 2>/work/net; net=$?
$b touch /x 2>/dev/null; root=$?
$b echo "{\\"reply\\": $reply, \\"offline\\": $((net != 0)), \\"root\\": $root, \\"uid\\": $($b id -u), \\"home\\": \\"$HOME\\", \\"nonce\\": \\"$COLLECTIVE_INTERPRETER\\", \\"preload\\": \\"$LD_PRELOAD\\"}"
`;
    const [seen] = await run(await imageOf(script), ['x']);
    expect(seen).toMatchObject({
      kind: 'answer',
      answer: { offline: 1, root: 1, uid: expect.toSatisfy(isSlotUid), home: '/work', nonce: '', preload: '' },
    });
    expect(JSON.stringify(seen)).toContain('keeper heard: hi');
  });

  it('are charged for what they do wrong', async () => {
    expect((await run(await imageOf('exit 3\n'), [1]))[0]).toMatchObject({ kind: 'fault', code: 'early_exit' });
    expect((await run(await imageOf('/bin/busybox echo "not json"\n'), [1]))[0]).toMatchObject({ kind: 'fault', code: 'invalid_output' });
    expect((await run(await imageOf('while :; do :; done\n'), [1]))[0]).toMatchObject({ kind: 'limit' });
    expect((await run(await imageOf('/bin/busybox yes\n'), [1]))[0]).toMatchObject({ kind: 'fault', code: 'invalid_output' });
    expect((await run(await imageOf('/bin/busybox yes >&2\n'), [1]))[0]).toMatchObject({ kind: 'limit', limit: 'output' });
    const missing = await imageOf('', { Entrypoint: ['/nothing'] });
    expect((await run(missing, [1]))[0]).toMatchObject({ kind: 'fault', code: 'early_exit', log: expect.stringContaining('/nothing') });
  });

  it('are refused with the reason when they may not run', async () => {
    await expect(run(await imageOf('', { WorkingDir: '/proc/self/fd/8' }), [1])).rejects.toThrow(/^participant: .*refused/);
    const elsewhere = `127.0.0.1:1/solver@sha256:${'0'.repeat(64)}`;
    await expect(run(elsewhere, [1])).rejects.toThrow(/^participant: /);
    const absent = `${registry?.host}/solver@sha256:${'0'.repeat(64)}`;
    await expect(run(absent, [1])).rejects.toThrow(/participant: /);
  });

  it('leave nothing running', async () => {
    expect(await docker.listContainers({ all: true, filters: { label: [`${labels.worker}=${workerId}`] } })).toEqual([]);
  });
});
